// Package module says what a module is: a value that lists everything the module
// adds to an app. There is no registration by side effect.
package module

import (
	"context"
	"io/fs"

	"github.com/tenonhq/tenon/platform/authz"
	"github.com/tenonhq/tenon/platform/db"
	"github.com/tenonhq/tenon/platform/jobs"
	"github.com/tenonhq/tenon/platform/secret"
	"github.com/tenonhq/tenon/platform/web"
)

// Spec is one module, ready to be added to an app. Only Name is required.
type Spec struct {
	Name        string              // also its folder, and the first word of its tables, permissions, operations, jobs and events
	Migrations  fs.FS               // holds migrations/sqlite and migrations/postgres
	Tables      []db.Table          // whose data each table holds, and for how long
	Sealed      []secret.Column     // what is encrypted in them, to be sealed anew after a change of keys
	Permissions []authz.Grant       // what can be allowed, and to which built-in roles it is
	Routes      func(*web.Router)   // the operations, each with its Access
	Jobs        []jobs.Handler      // what it can do later
	Periodic    []jobs.Periodic     // what it does again and again, once across all nodes
	Subscribes  []jobs.Subscription // which events of other modules it reacts to
	Mail        fs.FS               // templates of the letters it sends
	Notices     []Notice            // the kinds of messages that it sends to people
	Pages       fs.FS               // holds pages/*.js: ES modules that add pages to the console
	Background  []Background        // what runs for as long as the process

	// Erase removes what the module keeps of a person where no declared column says so:
	// files, texts that name them. Rows and columns that Tables declare follow by
	// themselves (db.Erase). It runs before that, perhaps more than once.
	Erase func(ctx context.Context, c db.Conn, p db.Person) error
}

// Notice is a kind of message to people. Each of them says how such messages reach them;
// what is declared here holds for those who have said nothing.
type Notice struct {
	Kind     string // "tasks.assigned": module, dot, what happened; never renamed
	Title    string // what it is about, in a few words, as people choose it
	Doc      string // when it comes, in a sentence
	Email    string // by letter: "off" unless set, "now", or "daily", gathered with others
	Required bool   // it is always in the inbox
}

// Background is a loop that runs on every node until its context ends.
type Background struct {
	Name string
	Run  func(ctx context.Context) error
}

// Schema is what the module keeps in the database.
func (s Spec) Schema() db.Schema {
	return db.Schema{Name: s.Name, FS: s.Migrations, Tables: s.Tables}
}
