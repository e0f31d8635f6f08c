package flags

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"log/slog"
	"maps"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tenonhq/tenon/modules/accounts"
	"github.com/tenonhq/tenon/modules/audit"
	"github.com/tenonhq/tenon/modules/orgs"
	"github.com/tenonhq/tenon/platform/authz"
	"github.com/tenonhq/tenon/platform/cache"
	"github.com/tenonhq/tenon/platform/clock"
	"github.com/tenonhq/tenon/platform/db"
	"github.com/tenonhq/tenon/platform/id"
	"github.com/tenonhq/tenon/platform/jobs"
)

// Deps is what the module needs. Every field is required.
type Deps struct {
	DB       *db.DB
	Audit    *audit.Service
	Accounts *accounts.Service
	Orgs     *orgs.Service
	Changed  *cache.Bus
	Plan     func(org id.Org) string // what an organization pays for, from memory; empty: not known
	Now      clock.Now
	Log      *slog.Logger
}

// Service is what other modules may call.
type Service struct {
	Deps
	tx    *db.Tx
	state *state
}

// state is shared by all copies of the service.
type state struct {
	now      atomic.Pointer[snapshot]
	loading  sync.Mutex // loads end in the order in which they begin
	changed  <-chan struct{}
	counters counters
	said     *sayings
}

// New returns the service of feature flags.
func New(d Deps) *Service {
	s := &Service{Deps: d, state: &state{changed: d.Changed.Watch(anyFlag()), counters: counters{all: map[served]*counter{}}, said: newSayings()}}
	s.state.now.Store(&snapshot{})
	return s
}

// In returns the service bound to a transaction. What changes in it is evaluated once it
// is committed.
func (s *Service) In(tx *db.Tx) *Service {
	bound := *s
	bound.tx, bound.DB = tx, s.DB.In(tx)
	return &bound
}

// anyFlag is the tag of all flags: they are few, and loaded together.
func anyFlag() cache.Tag { return cache.Tag{Kind: "flags"} }

// managing is why these verbs reach rows of nobody's: flags belong to the installation.
const managing = "feature flags belong to the installation"

func (s *Service) current() *snapshot { return s.state.now.Load() }

// Load reads all flags. From then on they are evaluated as they were read.
func (s *Service) Load(ctx context.Context) error {
	s.state.loading.Lock()
	defer s.state.loading.Unlock()
	all, err := activeFlags(ctx, s.DB.Platform(managing))
	if err != nil {
		return err
	}
	next, err := compile(all, s.state.counters.of)
	if err != nil {
		return err
	}
	s.state.now.Store(next)
	return nil
}

const (
	retryLoad = time.Second
	// reloadEvery is for what no invalidation tells of, such as a restored backup.
	reloadEvery = time.Minute
)

// follow loads the flags again whenever they changed. While they cannot be read, the last
// ones are served.
func (s *Service) follow(ctx context.Context) error {
	failing := false
	wait := time.NewTimer(0)
	defer wait.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-wait.C:
		case <-s.state.changed:
		}
		err := s.Load(ctx)
		switch {
		case err != nil && !failing && ctx.Err() == nil:
			s.Log.WarnContext(ctx, "flags cannot be read: the last ones are served", "err", err)
		case err == nil && failing:
			s.Log.InfoContext(ctx, "flags are read again")
		}
		if failing = err != nil; failing {
			wait.Reset(retryLoad)
		} else {
			wait.Reset(reloadEvery)
		}
	}
}

// List lists the flags that f lets through, by key.
func (s *Service) List(ctx context.Context, f Filter, after string, n int) ([]Flag, error) {
	all, err := s.all(ctx)
	if err != nil {
		return nil, err
	}
	found := []Flag{}
	for _, flag := range all {
		if flag.Key > after && f.lets(flag) && len(found) < n {
			found = append(found, flag)
		}
	}
	return found, s.nameAll(ctx, found)
}

// all returns every flag as it is now, sorted by key.
func (s *Service) all(ctx context.Context) ([]Flag, error) {
	c := s.DB.Platform(managing)
	all, err := allFlags(ctx, c)
	if err != nil {
		return nil, err
	}
	return all, s.describe(ctx, c, all)
}

// describe adds to flags what has come of them by themselves.
func (s *Service) describe(ctx context.Context, c db.Conn, flags []Flag) error {
	now := s.Now()
	seen, err := usageOf(ctx, c, now.Add(-staleAfter))
	for i := range flags {
		flags[i] = flags[i].settled(now)
		seen[flags[i].ID].describe(&flags[i], now)
	}
	return err
}

// Get returns a flag, or ErrNotFound.
func (s *Service) Get(ctx context.Context, key string) (Flag, error) {
	c := s.DB.Platform(managing)
	f, err := flagByKey(ctx, c, key)
	if err != nil {
		return f, err
	}
	one := []Flag{f}
	err = errors.Join(s.describe(ctx, c, one), s.nameAll(ctx, one))
	return one[0], err
}

// History lists the changes of a flag, newest first.
func (s *Service) History(ctx context.Context, key string, after *place, n int) ([]Change, error) {
	c := s.DB.Platform(managing)
	f, err := flagByKey(ctx, c, key)
	if err != nil {
		return nil, err
	}
	changes, err := listChanges(ctx, c, f.ID, after, n)
	if err != nil {
		return nil, err
	}
	people := make([]*Person, len(changes))
	for i := range changes {
		people[i] = changes[i].ChangedBy
	}
	return changes, s.name(ctx, people...)
}

// Usage returns what a flag served on each of the last 30 days.
func (s *Service) Usage(ctx context.Context, key string) ([]Usage, error) {
	c := s.DB.Platform(managing)
	f, err := flagByKey(ctx, c, key)
	if err != nil {
		return nil, err
	}
	return listUsage(ctx, c, f.ID, s.Now().Add(-staleAfter))
}

// Create makes a flag.
func (s *Service) Create(ctx context.Context, n NewFlag) (Flag, error) {
	reason, err := cleanReason(n.Reason)
	if err != nil {
		return Flag{}, err
	}
	if !keyPattern.MatchString(n.Key) {
		return Flag{}, ErrKeyInvalid
	}
	now := s.Now()
	f, err := Flag{ID: id.New[flagKind](), Key: n.Key, Type: n.Type, Description: n.Description, Owner: n.Owner, Tags: n.Tags, Client: n.Client, Enabled: n.Enabled,
		Definition: n.Definition, CreatedAt: now, UpdatedAt: now, salt: newSalt()}.clean(now)
	if err != nil {
		return Flag{}, err
	}
	f.buckets = f.allotted(nil)
	f.CreatedBy = actor(ctx)
	f.UpdatedBy = f.CreatedBy
	return s.change(ctx, func(tx *db.Tx, all map[string]Flag) (Flag, error) {
		if _, taken := all[f.Key]; taken {
			return f, ErrKeyTaken
		}
		if len(all) >= maxFlags {
			return f, ErrTooMany
		}
		all[f.Key] = f
		if err := checkPrerequisites(f, all); err != nil {
			return f, err
		}
		if err := insertFlag(ctx, tx, f); err != nil {
			return f, err
		}
		return f, s.record(ctx, tx, f, Created{f.about()}, reason, differences(Flag{}, f))
	})
}

func newSalt() string {
	var salt [12]byte
	_, _ = rand.Read(salt[:]) // never fails: crypto/rand ends the program instead
	return hex.EncodeToString(salt[:])
}

// Update changes a flag. What was scheduled until now has happened.
func (s *Service) Update(ctx context.Context, key string, u Update) (Flag, error) {
	return s.alter(ctx, key, u.Reason, u.Match, func(before Flag, now time.Time) (Flag, error) {
		if before.ArchivedAt != nil {
			return before, ErrArchived
		}
		f, err := u.on(before.settled(now)).clean(now)
		if err == nil {
			f.buckets = f.allotted(before.buckets)
		}
		return f, err
	}, func(f Flag) jobs.Args { return Updated{f.about()} })
}

// Archive takes a flag away from whoever asks for it, and keeps it.
func (s *Service) Archive(ctx context.Context, key, reason string, match Match) (Flag, error) {
	return s.alter(ctx, key, reason, match, func(f Flag, now time.Time) (Flag, error) {
		if f.ArchivedAt != nil {
			return f, ErrArchived
		}
		f.ArchivedAt = &now
		return f, nil
	}, func(f Flag) jobs.Args { return Archived{f.about()} })
}

// Restore takes a flag out of the archive, as it was.
func (s *Service) Restore(ctx context.Context, key, reason string, match Match) (Flag, error) {
	return s.alter(ctx, key, reason, match, func(f Flag, _ time.Time) (Flag, error) {
		if f.ArchivedAt == nil {
			return f, ErrNotArchived
		}
		f.ArchivedAt = nil
		return f, nil
	}, func(f Flag) jobs.Args { return Restored{f.about()} })
}

// Delete removes an archived flag with its history. The event log keeps that it was there.
func (s *Service) Delete(ctx context.Context, key, reason string, match Match) error {
	reason, err := cleanReason(reason)
	if err != nil {
		return err
	}
	_, err = s.change(ctx, func(tx *db.Tx, all map[string]Flag) (Flag, error) {
		f, ok := all[key]
		switch {
		case !ok:
			return f, ErrNotFound
		case f.ArchivedAt == nil:
			return f, ErrNotArchived
		}
		if err := match.check(f); err != nil {
			return f, err
		}
		if err := errors.Join(deleteChanges(ctx, tx, f.ID), deleteCounts(ctx, tx, f.ID), deleteFlag(ctx, tx, f.ID)); err != nil {
			return f, err
		}
		return f, s.Audit.In(tx).Record(ctx, audit.Entry{Event: Deleted{f.about()}, Target: f.target(), Changes: map[string]audit.Change{"reason": {To: reason}}})
	})
	return err
}

// alter changes a flag by fn, while nobody else changes any.
func (s *Service) alter(ctx context.Context, key, reason string, match Match, fn func(Flag, time.Time) (Flag, error), event func(Flag) jobs.Args) (Flag, error) {
	reason, err := cleanReason(reason)
	if err != nil {
		return Flag{}, err
	}
	now := s.Now()
	return s.change(ctx, func(tx *db.Tx, all map[string]Flag) (Flag, error) {
		before, ok := all[key]
		if !ok {
			return before, ErrNotFound
		}
		if err := match.check(before); err != nil {
			return before, err
		}
		f, err := fn(before, now)
		if err != nil {
			return before, err
		}
		changes := differences(before.settled(now), f)
		if len(changes) == 0 {
			return before, nil
		}
		// Two changes within a microsecond must not look like one to If-Match.
		if f.UpdatedAt = now; !now.After(before.UpdatedAt) {
			f.UpdatedAt = before.UpdatedAt.Add(time.Microsecond)
		}
		f.UpdatedBy = actor(ctx)
		all[key] = f
		if f.ArchivedAt == nil {
			if err := checkPrerequisites(f, all); err != nil {
				return before, err
			}
		}
		if err := checkDependents(f, all); err != nil {
			return before, err
		}
		if err := updateFlag(ctx, tx, f); err != nil {
			return before, err
		}
		return f, s.record(ctx, tx, f, event(f), reason, changes)
	})
}

// change runs fn with all flags, while nobody else changes any, and serves what came of it.
func (s *Service) change(ctx context.Context, fn func(tx *db.Tx, all map[string]Flag) (Flag, error)) (Flag, error) {
	var key string
	err := s.DB.Platform(managing).Tx(ctx, func(tx *db.Tx) error {
		if err := hold(ctx, tx); err != nil {
			return err
		}
		list, err := allFlags(ctx, tx)
		if err != nil {
			return err
		}
		all := make(map[string]Flag, len(list))
		for _, f := range list {
			all[f.Key] = f
		}
		f, err := fn(tx, all)
		if err != nil {
			return err
		}
		key = f.Key
		return s.Changed.Invalidate(ctx, tx, anyFlag())
	})
	if err != nil {
		return Flag{}, err
	}
	if s.tx == nil { // whoever made the change sees it at once; should this fail, follow tries again
		if err := s.Load(ctx); err != nil {
			s.Log.WarnContext(ctx, "flags cannot be read after a change", "err", err)
		}
	}
	f, err := s.Get(ctx, key)
	if errors.Is(err, ErrNotFound) { // it was deleted
		return Flag{}, nil
	}
	return f, err
}

// record writes a change into the history of the flag and into the event log.
func (s *Service) record(ctx context.Context, tx *db.Tx, f Flag, event jobs.Args, reason string, changes map[string]audit.Change) error {
	_, verb, _ := strings.Cut(event.Kind(), ".")
	if err := insertChange(ctx, tx, f.ID, Change{ID: id.New[changeKind](), Verb: verb, Reason: reason, Changes: changes, ChangedAt: f.UpdatedAt, ChangedBy: f.UpdatedBy}); err != nil {
		return err
	}
	told := maps.Clone(changes)
	told["reason"] = audit.Change{To: reason}
	return s.Audit.In(tx).Record(ctx, audit.Entry{Event: event, Target: f.target(), Changes: told})
}

// differences lists the fields in which two states of a flag differ.
func differences(before, after Flag) map[string]audit.Change {
	all := map[string]audit.Change{}
	add := func(name string, from, to any) {
		if !same(from, to) {
			all[name] = audit.Change{From: from, To: to}
		}
	}
	add("description", before.Description, after.Description)
	add("owner", before.Owner, after.Owner)
	add("tags", before.Tags, after.Tags)
	add("client", before.Client, after.Client)
	add("enabled", before.Enabled, after.Enabled)
	add("variants", before.Variants, after.Variants)
	add("off_variant", before.OffVariant, after.OffVariant)
	add("prerequisites", before.Prerequisites, after.Prerequisites)
	add("rules", before.Rules, after.Rules)
	add("default", before.Default, after.Default)
	add("schedule", before.Schedule, after.Schedule)
	add("archived", before.ArchivedAt != nil, after.ArchivedAt != nil)
	return all
}

// actor is the person who acts; nil where it is none.
func actor(ctx context.Context) *Person {
	who := authz.From(ctx)
	if who.Account.IsZero() {
		return nil
	}
	return &Person{ID: who.Account, Name: who.Name}
}

func (s *Service) nameAll(ctx context.Context, flags []Flag) error {
	var people []*Person
	for _, f := range flags {
		people = append(people, f.CreatedBy, f.UpdatedBy)
	}
	return s.name(ctx, people...)
}

// name fills in the names of administrators, who are few.
func (s *Service) name(ctx context.Context, people ...*Person) error {
	names := map[id.Account]string{}
	for _, p := range people {
		if p == nil {
			continue
		}
		if _, known := names[p.ID]; !known {
			a, err := s.Accounts.Get(ctx, p.ID)
			if err != nil && !errors.Is(err, accounts.ErrNotFound) {
				return err
			}
			names[p.ID] = a.Name
		}
		p.Name = names[p.ID]
	}
	return nil
}

// use is what is known of the evaluations of a flag.
type use struct {
	last     time.Time
	variants int // served in the last 30 days
}

// describe says when the flag was last asked for, and whether it does anything still.
func (u use) describe(f *Flag, now time.Time) {
	if !u.last.IsZero() {
		f.LastEvaluatedAt = &u.last
	}
	switch {
	case f.ArchivedAt != nil || f.CreatedAt.After(now.Add(-staleAfter)):
	case u.variants == 0:
		f.Stale = NotEvaluated
	case u.variants == 1:
		f.Stale = OneVariant
	}
}

// place is where a page of changes ends.
type place struct {
	At time.Time         `json:"at"`
	ID id.ID[changeKind] `json:"id"`
}

func placeOf(c Change) place { return place{c.ChangedAt, c.ID} }
