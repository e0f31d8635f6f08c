package arch

import (
	"go/ast"
	"slices"
	"strings"
)

// layers: cmd, examples → cli → tenon → modules → module → platform → standard library.
func layers(tree *Tree, report Report) {
	for _, f := range tree.Go {
		for _, spec := range f.AST.Imports {
			to, ours := strings.CutPrefix(imported(spec)+"/", modulePath+"/")
			if !ours {
				continue
			}
			if instead := forbidden(f, strings.TrimSuffix(to, "/")); instead != "" {
				report(f.At(spec), "imports "+imported(spec)+": "+instead)
			}
		}
	}
}

// forbidden returns why a file may not import the package in folder to, or "".
func forbidden(f *File, to string) string {
	from, target := area(f.Dir()), area(to)
	test := strings.HasSuffix(f.Path, "_test.go")
	switch {
	case f.Dir() == to: // an external test of its own package
		return ""
	case target == "cmd" || target == "examples" && from != "examples":
		return "programs and examples are never imported; move what you need down into tenon or platform"
	case from == "modules" && target == "modules":
		return betweenModules(f.Dir(), to, test)
	case test && target == "tenontest":
		if under(f.Dir(), "platform", "module") && to != "tenontest/servers" {
			return "tests of the platform know no business; start what you need with tenontest/servers"
		}
		return ""
	case test && from == "modules" && target == "tenon":
		return ""
	}
	may, instead := layer(from)
	if slices.Contains(may, target) {
		return ""
	}
	return instead
}

// area returns the layer that a folder belongs to.
func area(dir string) string {
	if dir == "." || dir == "" {
		return "tenon"
	}
	if under(dir, "internal/bench", "internal/notice") {
		return "programs"
	}
	top, _, _ := strings.Cut(dir, "/")
	return top
}

// layer returns the layers that one may import, and what to do about all others.
func layer(from string) (may []string, instead string) {
	switch from {
	case "cmd":
		return []string{"cli", "tenon", "modules", "module", "platform", "internal", "console"},
			"a command only starts what cli and tenon offer"
	case "examples":
		return []string{"examples", "cli", "tenon", "modules", "module", "platform", "tenontest"},
			"an example does what a user's own code can do; export what it needs"
	case "cli":
		return []string{"cli", "tenon", "modules", "module", "platform", "internal", "console"},
			"the command line stands on tenon, not beside it"
	case "tenon":
		return []string{"modules", "module", "platform", "internal", "console"},
			"tenon builds the app from modules and platform; what is above is handed in by the caller"
	case "modules":
		return []string{"module", "platform", "internal"},
			"modules do not know the app they are in; take what you need as a field of Deps, or publish an event"
	case "module":
		return []string{"platform"}, "module.Spec names platform types only; describe the rest with plain data"
	case "console":
		return []string{"platform"}, "the console serves files; what it shows of the app is handed in"
	case "platform":
		return []string{"platform", "internal"},
			"platform knows no business; pass a function or a value in, or move the rule into a module"
	case "internal":
		return []string{"internal", "platform"}, "internal packages serve platform and modules, so they stand below both"
	case "tenontest", "test", "programs":
		return []string{"tenontest", "test", "cli", "tenon", "modules", "module", "platform", "internal", "console"},
			"tests and tools use what cmd and examples use, not those themselves"
	}
	return nil, "a folder outside the layers imports nothing of ours; give it a place in internal/arch first"
}

func betweenModules(from, to string, test bool) string {
	f, t := moduleOf(from), moduleOf(to)
	i, j := slices.Index(Order(), f), slices.Index(Order(), t)
	switch {
	case f == t || test:
		return ""
	case i < 0 || j < 0:
		return "both modules need a place in the order of internal/arch"
	case j > i:
		return "modules import only modules listed before them; publish an event that " + t + " subscribes to, or is subscribed to by " + f
	}
	return ""
}

// moduleOf returns the module that a folder below modules belongs to.
func moduleOf(dir string) string {
	name, _, _ := strings.Cut(strings.TrimPrefix(dir, "modules/"), "/")
	return name
}

// library is who may import a third-party library, by prefix of its path.
type library struct {
	prefix  string
	homes   []string
	instead string
}

func libraryHomes() []library {
	drivers := []string{"platform/db", "platform/jobs", "tenontest/servers", "internal/bench"}
	sql := "ask platform/db for a connection"
	return []library{
		{"github.com/danielgtaylor/huma", []string{"platform/web"}, "declare operations with platform/web"},
		{"github.com/jackc/pgx", drivers, sql},
		{"modernc.org/sqlite", drivers, sql},
		{"database/sql", drivers, sql},
		{"github.com/pressly/goose", []string{"platform/db"}, "list migrations in a schema of platform/db"},
		{"github.com/riverqueue/", []string{"platform/jobs"}, "enqueue with platform/jobs"},
		{"riverqueue.com/", []string{"platform/jobs"}, "enqueue with platform/jobs"},
		{"github.com/redis/", []string{"platform/redis"}, "use platform/redis, which survives its absence"},
		{"github.com/maypok86/otter", []string{"platform/cache"}, "use platform/cache, which knows invalidation"},
		{"github.com/lestrrat-go/jwx", []string{"platform/secret"}, "sign and verify with platform/secret"},
		{"github.com/go-webauthn/", []string{"modules/passkeys"}, "let modules/passkeys check what authenticators sign"},
		{"github.com/coreos/go-oidc", []string{"modules/identities"}, "let people sign in through modules/identities"},
		{"golang.org/x/oauth2", []string{"modules/identities"}, "let people sign in through modules/identities"},
		{"github.com/zitadel/oidc", []string{"tenontest/idp"}, "start the provider of tenontest/idp"},
		{"github.com/wneessen/go-mail", []string{"platform/mail"}, "send with platform/mail"},
		{"github.com/centrifugal/", []string{"platform/realtime"}, "publish with platform/realtime"},
		{"github.com/gabriel-vasile/mimetype", []string{"modules/files"}, "ask module files what a file is"},
		{"golang.org/x/image", []string{"internal/imaging"}, "let internal/imaging decode, which knows what a picture may cost"},
		{"github.com/minio/", []string{"platform/blob"}, "store with platform/blob"},
		{"github.com/pquerna/otp", []string{"modules/mfa"}, "ask module mfa, which remembers the codes that were used"},
		{"github.com/boombuler/barcode", []string{"modules/mfa"}, "QR codes are drawn in module mfa"},
		{"github.com/stripe/", []string{"internal/stripeapi"}, "call Stripe through internal/stripeapi"},
		{"github.com/spf13/cobra", []string{"cli"}, "commands are declared in cli"},
		{"github.com/caarlos0/env", []string{".", "cli"}, "take a Config with env tags; tenon fills it in"},
	}
}

// libraries: each library has one home, so that it can be replaced there. Tests
// may use any, except in modules, whose tests prove what a user would notice.
func libraries(tree *Tree, report Report) {
	for _, f := range tree.Go {
		if f.IsTest() && !under(f.Path, "modules", "tenontest") || f.Path == "deps.go" { // deps.go only pins versions
			continue
		}
		for _, spec := range f.AST.Imports {
			for _, lib := range libraryHomes() {
				if strings.HasPrefix(imported(spec)+"/", strings.TrimSuffix(lib.prefix, "/")+"/") && !slices.Contains(lib.homes, f.Dir()) {
					report(f.At(spec), "imports "+imported(spec)+", which only "+strings.Join(lib.homes, ", ")+" may: "+lib.instead)
				}
			}
		}
	}
}

// templates: the standard library's call methods by name, so that the linker keeps every
// method of every library: fourteen megabytes.
func templates(tree *Tree, report Report) {
	for _, f := range tree.Go {
		for _, spec := range f.AST.Imports {
			if kind, ok := strings.CutSuffix(imported(spec), "/template"); ok && (kind == "text" || kind == "html") && !f.IsTest() {
				report(f.At(spec), "imports "+imported(spec)+", which makes every binary bigger; import github.com/DataDog/datadog-agent/pkg/template/"+kind+", the same without method calls")
			}
		}
	}
}

// outboundHTTP: an address that a user supplied must never reach our own network.
func outboundHTTP(tree *Tree, report Report) {
	const instead = "; make the client with platform/safehttp, which refuses private addresses"
	for _, f := range tree.Go {
		pkg := f.Name("net/http")
		if f.IsTest() || pkg == "" || under(f.Path, "platform/safehttp", "platform/blob", "cli", "internal/bench", "examples") { // those of operators and developers
			continue
		}
		ast.Inspect(f.AST, func(n ast.Node) bool {
			if name, ok := selects(n, pkg, "Get", "Head", "Post", "PostForm", "DefaultClient", "DefaultTransport"); ok {
				report(f.At(n), "uses http."+name+instead)
			}
			if name, ok := makes(n, pkg, "Client", "Transport"); ok {
				report(f.At(n), "makes an http."+name+instead)
			}
			return true
		})
	}
}

// makes reports whether n creates a pkg.name: by a literal, by new, or as a variable's zero value.
func makes(n ast.Node, pkg string, names ...string) (string, bool) {
	switch n := n.(type) {
	case *ast.CompositeLit:
		return selects(n.Type, pkg, names...)
	case *ast.ValueSpec:
		return selects(n.Type, pkg, names...)
	case *ast.CallExpr:
		if fn, ok := n.Fun.(*ast.Ident); ok && fn.Name == "new" && len(n.Args) == 1 {
			return selects(n.Args[0], pkg, names...)
		}
	}
	return "", false
}

// rawTransactions: the driver's own transaction is for the job queue alone.
func rawTransactions(tree *Tree, report Report) {
	for _, f := range tree.Go {
		if under(f.Path, "platform/db", "platform/jobs") {
			continue
		}
		pkg := f.Name(modulePath + "/platform/db")
		ast.Inspect(f.AST, func(n ast.Node) bool {
			if name, ok := selects(n, pkg, "RawTx", "RawPool"); ok {
				report(f.At(n), "uses db."+name+", which is for the job queue alone; use the methods of *db.Tx, or enqueue with platform/jobs")
			}
			return true
		})
	}
}
