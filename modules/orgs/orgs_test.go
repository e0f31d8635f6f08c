package orgs

import (
	"errors"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/tenonhq/tenon/platform/authz"
)

func TestSlugsArePlainAndNotReserved(t *testing.T) {
	for slug, want := range map[string]error{
		"acme": nil, "a-1": nil, "123": nil, "x-y-z": nil, strings.Repeat("a", 40): nil,
		"ab": ErrSlugInvalid, strings.Repeat("a", 41): ErrSlugInvalid, "": ErrSlugInvalid, "-acme": ErrSlugInvalid, "acme-": ErrSlugInvalid,
		"ac--me": ErrSlugInvalid, "Acme": ErrSlugInvalid, "ac me": ErrSlugInvalid, "acme\n": ErrSlugInvalid, "äcme": ErrSlugInvalid, "ac_me": ErrSlugInvalid,
		"api": ErrSlugReserved, "www": ErrSlugReserved, "admin": ErrSlugReserved, "docs": ErrSlugReserved, "sign-in": ErrSlugReserved,
	} {
		if _, err := cleanSlug(slug); !errors.Is(err, want) {
			t.Errorf("cleanSlug(%q) = %v, want %v", slug, err, want)
		}
	}
}

func TestNamesAreOneLine(t *testing.T) {
	for name, want := range map[string]string{" Acme ": "Acme", "Ä": "Ä", "": "", "  ": "", "a\nb": "", "a\x00b": "", strings.Repeat("x", 101): ""} {
		got, err := cleanName(name)
		if got != want || (want == "") != errors.Is(err, ErrNameInvalid) {
			t.Errorf("cleanName(%q) = %q, %v; want %q", name, got, err, want)
		}
	}
}

func TestSettingsAreKnownLanguagesAndTimeZones(t *testing.T) {
	for locale, want := range map[string]error{"": nil, "de": nil, "de-AT": nil, "deutsch!": ErrLocaleInvalid, strings.Repeat("x", 40): ErrLocaleInvalid} {
		if _, err := cleanLocale(locale); !errors.Is(err, want) {
			t.Errorf("cleanLocale(%q) = %v, want %v", locale, err, want)
		}
	}
	for zone, want := range map[string]error{"": nil, "UTC": nil, "Europe/Vienna": nil, "America/Argentina/Buenos_Aires": nil, "Etc/GMT+3": nil,
		"../etc/passwd": ErrZoneInvalid, "/Vienna": ErrZoneInvalid, "a b": ErrZoneInvalid} {
		if _, err := cleanZone(zone); !errors.Is(err, want) {
			t.Errorf("cleanZone(%q) = %v, want %v", zone, err, want)
		}
	}
}

func TestRoleKeysAreNeitherBuiltInNorIDs(t *testing.T) {
	for key, want := range map[authz.Role]error{"support": nil, "a1": nil, "on-call_2": nil, "owner": ErrRoleTaken, "viewer": ErrRoleTaken,
		"": ErrRoleKeyInvalid, "a": ErrRoleKeyInvalid, "1a": ErrRoleKeyInvalid, "Support": ErrRoleKeyInvalid, "role_x": ErrRoleKeyInvalid} {
		if err := cleanRoleKey(key); !errors.Is(err, want) {
			t.Errorf("cleanRoleKey(%q) = %v, want %v", key, err, want)
		}
	}
}

func TestPermissionsMustBeInTheCatalog(t *testing.T) {
	catalog := authz.NewCatalog()
	catalog.Add(permissions()...)
	got, err := cleanPermissions(catalog, []authz.Permission{PermRead, PermInvite, PermRead})
	if err != nil || len(got) != 2 || got[0] != PermInvite {
		t.Errorf("cleaned to %v, %v", got, err)
	}
	if _, err := cleanPermissions(catalog, []authz.Permission{PermRead, "orgs.rule_the_world"}); !errors.Is(err, ErrPermissionUnknown) {
		t.Errorf("an invented permission: %v", err)
	}
}

func TestRightsCoverExactlyTheirSubsets(t *testing.T) {
	perms := func(t *rapid.T, label string) authz.Permissions {
		return setOf(rapid.SliceOfN(rapid.SampledFrom([]authz.Permission{PermRead, PermInvite, PermDelete, PermManageRoles}), 0, 4).Draw(t, label))
	}
	rapid.Check(t, func(t *rapid.T) {
		mine, theirs := perms(t, "mine"), perms(t, "theirs")
		subset := true
		for p := range theirs {
			subset = subset && mine[p]
		}
		if got := (rights{perms: mine}).cover(theirs); got != subset {
			t.Fatalf("%v covers %v: %v", mine, theirs, got)
		}
		if !(rights{perms: mine, all: true}).cover(theirs) {
			t.Fatal("an owner's rights do not cover something")
		}
	})
}

func TestOnlyOwnersDeleteAndTransfer(t *testing.T) {
	catalog := authz.NewCatalog()
	catalog.Add(permissions()...)
	for _, g := range catalog.All() {
		if !catalog.Of(authz.Owner)[g.Perm] {
			t.Errorf("an owner lacks %s", g.Perm)
		}
		if got, want := catalog.Of(authz.Admin)[g.Perm], g.Perm != PermDelete && g.Perm != PermTransfer; got != want {
			t.Errorf("admin has %s: %v", g.Perm, got)
		}
		if catalog.Of(authz.Viewer)[g.Perm] != catalog.Of(authz.Member)[g.Perm] {
			t.Errorf("viewer and member differ in %s", g.Perm)
		}
	}
}
