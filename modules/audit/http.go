package audit

import (
	"context"
	"encoding/csv"
	"encoding/json"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/tenonhq/tenon/platform/authz"
	"github.com/tenonhq/tenon/platform/id"
	"github.com/tenonhq/tenon/platform/web"
)

func (s *Service) routes(r *web.Router) {
	web.Handle(r, web.Op{
		ID: "audit.list", Method: http.MethodGet, Path: "/orgs/{org}/events",
		Summary: "List events of an organization", Description: "Newest first.",
		Access: authz.InOrg(PermRead),
	}, s.handleList)

	web.HandleDownload(r, web.Op{
		ID: "audit.export", Method: http.MethodGet, Path: "/orgs/{org}/events/export",
		Summary:     "Export events of an organization",
		Description: "Streams every event that the filters let through, newest first, as CSV (RFC 4180) or as one JSON document a line.\n\nIn CSV, text that a spreadsheet would take for a formula begins with an apostrophe.",
		Access:      authz.InOrg(PermRead),
	}, s.handleExport)

	web.Handle(r, web.Op{
		ID: "audit.list_mine", Method: http.MethodGet, Path: "/users/me/events",
		Summary: "List events of one's own account", Description: "Sign-ins, sessions, passwords: what belongs to no organization. Newest first.",
		Access: authz.SignedIn(),
	}, s.handleListMine)

	web.Handle(r, web.Op{
		ID: "audit.list_all", Method: http.MethodGet, Path: "/admin/events",
		Summary: "List events of all organizations and accounts", Description: "Whatever log they are in, unless `org` or `account` names one. Newest first.",
		Access: authz.Administrator(),
	}, s.handleListAll)
}

// FilterInput is the query of the operations that list events.
type FilterInput struct {
	Type   string    `query:"type" maxLength:"100" doc:"Only this type" example:"orgs.member_joined"`
	Actor  string    `query:"actor" maxLength:"100" doc:"Only by this actor, by id"`
	Target string    `query:"target" maxLength:"100" doc:"Only what happened to this, by id"`
	From   time.Time `query:"from" doc:"At this instant or later (RFC 3339)"`
	To     time.Time `query:"to" doc:"Before this instant (RFC 3339)"`
}

func (f FilterInput) filter() Filter {
	return Filter(f)
}

type listInput struct {
	web.InOrg
	web.Page
	FilterInput
}

type listMineInput struct {
	web.Page
	FilterInput
}

type listAllInput struct {
	web.Page
	FilterInput
	Org     id.Org     `query:"org" doc:"Only of this organization"`
	Account id.Account `query:"account" doc:"Only of this account's own log, which belongs to no organization"`
}

func (in *listAllInput) logs() (only []log) {
	if !in.Org.IsZero() {
		only = append(only, logOfOrg(in.Org))
	}
	if !in.Account.IsZero() {
		only = append(only, logOfAccount(in.Account))
	}
	return only
}

type exportInput struct {
	web.InOrg
	FilterInput
	Format string `query:"format" enum:"csv,jsonl" default:"csv"`
}

func (s *Service) handleList(ctx context.Context, in *listInput) (*web.ListOutput[Event], error) {
	return web.Paged(ctx, in.Page, func(after *position, n int) ([]Event, error) {
		return s.ofOrg(ctx, in.Org, in.filter(), after, n)
	}, positionOf)
}

func (s *Service) handleListMine(ctx context.Context, in *listMineInput) (*web.ListOutput[Event], error) {
	who := authz.From(ctx).Account
	out, err := s.Page(ctx, who, in.Page, in.FilterInput)
	if err != nil {
		return nil, err
	}
	for i := range out.Body.Items {
		out.Body.Items[i].hideOrigin(who)
	}
	return out, nil
}

// handleListAll hides nothing: administrators see from where each other acted.
func (s *Service) handleListAll(ctx context.Context, in *listAllInput) (*web.ListOutput[Event], error) {
	return web.Paged(ctx, in.Page, func(after *position, n int) ([]Event, error) {
		return s.ofAll(ctx, in.filter(), after, n, in.logs()...)
	}, positionOf)
}

// Page is one page of the events of an account, with nothing left out: who may see it is
// the caller's to say.
func (s *Service) Page(ctx context.Context, account id.Account, page web.Page, f FilterInput) (*web.ListOutput[Event], error) {
	return web.Paged(ctx, page, func(after *position, n int) ([]Event, error) {
		return s.ofAccount(ctx, account, f.filter(), after, n)
	}, positionOf)
}

func (s *Service) handleExport(ctx context.Context, in *exportInput) (*web.Download, error) {
	d := &web.Download{ContentType: "text/csv; charset=utf-8", Filename: "events.csv"}
	write := writeCSV
	if in.Format == "jsonl" {
		d.ContentType, d.Filename, write = "application/x-ndjson", "events.jsonl", writeJSONL
	}
	d.Write = func(w io.Writer) error {
		return write(w, func(fn func(Event) error) error { return s.Each(ctx, in.Org, in.filter(), fn) })
	}
	return d, nil
}

func writeJSONL(w io.Writer, each func(func(Event) error) error) error {
	enc := json.NewEncoder(w)
	return each(func(e Event) error { return enc.Encode(e) })
}

func writeCSV(w io.Writer, each func(func(Event) error) error) error {
	out := csv.NewWriter(w)
	if err := out.Write([]string{"position", "occurred_at", "id", "type", "actor_kind", "actor_id", "actor_name",
		"target_kind", "target_id", "target_name", "ip_address", "user_agent", "request_id", "data", "changes"}); err != nil {
		return err
	}
	err := each(func(e Event) error {
		changes, err := json.Marshal(e.Changes)
		if err != nil {
			return err
		}
		at := ""
		if e.Position != nil {
			at = strconv.FormatInt(*e.Position, 10)
		}
		row := []string{at, e.OccurredAt.Format(time.RFC3339Nano), e.ID.String(), e.Type, string(e.Actor.Kind), e.Actor.ID, e.Actor.Name,
			e.Target.Kind, e.Target.ID, e.Target.Name, e.IPAddress, e.UserAgent, e.RequestID, string(e.Data), string(changes)}
		for i := range row {
			row[i] = harmless(row[i])
		}
		return out.Write(row)
	})
	if err != nil {
		return err
	}
	out.Flush()
	return out.Error()
}

// harmless keeps a spreadsheet from running text as a formula (OWASP: CSV injection).
func harmless(cell string) string {
	if cell != "" && strings.ContainsRune("=+-@\t\r", rune(cell[0])) {
		return "'" + cell
	}
	return cell
}
