package audit

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/tenonhq/tenon/platform/authz"
	"github.com/tenonhq/tenon/platform/clock"
	"github.com/tenonhq/tenon/platform/db"
	"github.com/tenonhq/tenon/platform/id"
	"github.com/tenonhq/tenon/platform/jobs"
	"github.com/tenonhq/tenon/platform/realtime"
	"github.com/tenonhq/tenon/platform/web"
)

// Deps is what the module needs. Every field is required.
type Deps struct {
	DB   *db.DB
	Jobs *jobs.Queue
	Live *realtime.Hub
	Now  clock.Now
	Log  *slog.Logger
}

// Service records events and lists them.
type Service struct {
	Deps
	tx   *db.Tx
	wake chan struct{}
}

// New returns the event log.
func New(d Deps) *Service { return &Service{Deps: d, wake: make(chan struct{}, 1)} }

// In returns the log bound to a transaction.
func (s *Service) In(tx *db.Tx) *Service {
	return &Service{Deps: s.Deps, tx: tx, wake: s.wake}
}

var errOutside = errors.New("audit: Record is for transactions; use In(tx)")

// Record writes an event and enqueues its subscribers, in the transaction. It is the
// one way to say that something happened.
func (s *Service) Record(ctx context.Context, e Entry) error {
	if s.tx == nil {
		return errOutside
	}
	client := web.ClientFrom(ctx)
	kind, actor, name, onBehalfOf := authz.From(ctx).Actor()
	d := details{ActorName: name, TargetName: e.Target.Name, UserAgent: client.UserAgent, Changes: e.Changes}
	if client.Address.IsValid() {
		d.IPAddress = client.Address.String()
	}
	salt, commitment, err := d.commit()
	if err != nil {
		return err
	}
	scope := e.Event.Scope()
	row := eventRow{
		id: id.New[eventKind](), at: s.Now(), org: scope.Org(), account: scope.Account(), kind: e.Event.Kind(),
		actorKind: kind, actor: actor, onBehalfOf: onBehalfOf, target: e.Target, data: e.Event, request: client.RequestID, commitment: commitment,
	}
	if err := insertEvent(ctx, s.tx, row); err != nil {
		return fmt.Errorf("record %s: %w", row.kind, err)
	}
	if err := insertDetails(ctx, s.tx, row, salt, d); err != nil {
		return fmt.Errorf("record details of %s: %w", row.kind, err)
	}
	s.tx.AfterCommit(s.nudge)
	topic, _, _ := strings.Cut(row.kind, ".")
	s.Live.In(s.tx).Changed(audience(scope), topic)
	return s.Jobs.Publish(ctx, s.tx, e.Event)
}

// audience is who is told that something happened: all who may be there, so not what.
func audience(s jobs.Scope) realtime.Channel {
	switch {
	case !s.Org().IsZero():
		return realtime.Org(s.Org())
	case !s.Account().IsZero():
		return realtime.User(s.Account())
	}
	return realtime.Administrators()
}

// ofOrg lists events of an organization, newest first, after the given position.
func (s *Service) ofOrg(ctx context.Context, org id.Org, f Filter, after *position, n int) ([]Event, error) {
	return listEvents(ctx, s.DB.Org(org), f, after, n, logOfOrg(org))
}

func (s *Service) ofAccount(ctx context.Context, account id.Account, f Filter, after *position, n int) ([]Event, error) {
	return listEvents(ctx, s.DB.Account(account), f, after, n, logOfAccount(account))
}

// ofAll lists events of every log, or of those that are named.
func (s *Service) ofAll(ctx context.Context, f Filter, after *position, n int, only ...log) ([]Event, error) {
	return listEvents(ctx, s.DB.Platform("administrators see what happened, in every log"), f, after, n, only...)
}

// Each calls fn with every event of an organization that f lets through, newest first.
func (s *Service) Each(ctx context.Context, org id.Org, f Filter, fn func(Event) error) error {
	return eachEvent(ctx, s.DB.Org(org), f, nil, noLimit, fn, logOfOrg(org))
}

// sequenceEvery is how long an event may wait for its position when no one nudges.
const sequenceEvery = time.Second

// sequence gives committed events their positions. Every node runs it; the row of
// event_head makes them take turns.
func (s *Service) sequence(ctx context.Context) error {
	tick := time.NewTicker(sequenceEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		case <-s.wake:
		}
		if err := s.Sequence(ctx); err != nil && ctx.Err() == nil {
			s.Log.WarnContext(ctx, "give events their positions", "err", err)
		}
	}
}

// batch is how many events get their positions in one transaction.
const batch = 1000

// Sequence gives every committed event that has none its position.
func (s *Service) Sequence(ctx context.Context) error {
	c := s.DB.Platform("the sequencer counts events of all tenants")
	for {
		waiting, err := anyUnsequenced(ctx, c)
		if err != nil || !waiting {
			return err
		}
		if err := c.Tx(ctx, func(tx *db.Tx) error { return sequenceBatch(ctx, tx, batch) }); err != nil {
			return err
		}
	}
}

func (s *Service) nudge() {
	select {
	case s.wake <- struct{}{}:
	default: // it is about to look anyway
	}
}
