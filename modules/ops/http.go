package ops

import (
	"context"
	"net/http"

	"github.com/tenonhq/tenon/platform/authz"
	"github.com/tenonhq/tenon/platform/web"
)

func (s *Service) routes(r *web.Router) {
	down := []int{http.StatusServiceUnavailable}

	web.Handle(r, web.Op{
		ID: "ops.live", Method: http.MethodGet, Path: "//health",
		Summary: "Is the process alive", Description: "Depends on nothing else: a process that answers needs no restart.",
		Access: authz.Public(),
	}, s.handleLive)

	web.Handle(r, web.Op{
		ID: "ops.ready", Method: http.MethodGet, Path: "//health/ready", Also: down,
		Summary:     "Should the process get requests",
		Description: "200 when the database answers, its migrations are applied and the process is not about to stop; 503 otherwise. A process that lost Redis is `degraded` and still ready.",
		Access:      authz.Public(),
	}, s.handleReady)

	web.Handle(r, web.Op{
		ID: "ops.health", Method: http.MethodGet, Path: "/health/", Also: down,
		Summary: "How database and cache are", Description: "As found at most a second ago; 503 when the database does not answer.",
		Access: authz.Public(),
	}, s.handleHealth)

	web.Handle(r, web.Op{
		ID: "ops.health_db", Method: http.MethodGet, Path: "/health/db", Also: down,
		Summary: "How the database is", Description: "As found at most a second ago; 503 when it does not answer.",
		Access: authz.Public(),
	}, s.handleDatabase)

	web.Handle(r, web.Op{
		ID: "ops.health_redis", Method: http.MethodGet, Path: "/health/redis",
		Summary: "How Redis is", Description: "`off` where none is used; `degraded` when it does not answer, and each process uses what it knows itself.",
		Access: authz.Public(),
	}, s.handleRedis)

	web.Handle(r, web.Op{
		ID: "ops.health_storage", Method: http.MethodGet, Path: "/health/storage", Also: down,
		Summary: "How the store of files is", Description: "As found at most a second ago; 503 when it does not answer. Everything but files works without it.",
		Access: authz.Public(),
	}, s.handleStorage)

	web.Handle(r, web.Op{
		ID: "ops.health_jobs", Method: http.MethodGet, Path: "/health/jobs", Also: down,
		Summary: "Whether jobs are run", Description: "`degraded` when one has waited for more than five minutes in a queue that is not paused; 503 when the queues cannot be read.",
		Access: authz.Public(),
	}, s.handleJobs)

	s.monitorRoutes(r)
	s.referenceRoutes(r)
}

func (s *Service) referenceRoutes(r *web.Router) {
	const document, swagger, redoc = "/openapi.json", "/docs", "/redoc"
	ref := web.NewReference(r, document, swagger, redoc)
	web.HandleStatic(r, web.Op{
		ID: "ops.openapi", Method: http.MethodGet, Path: "/" + document,
		Summary: "The OpenAPI document", Description: "Describes every operation. `x-access` says who may call it.",
		Access: authz.Public(),
	}, "application/json", ref.Document)

	web.HandleStatic(r, web.Op{
		ID: "ops.docs", Method: http.MethodGet, Path: "/" + swagger,
		Summary: "The API reference, to try", Description: "Swagger UI.",
		Access: authz.Public(),
	}, "text/html", ref.SwaggerUI)

	web.HandleStatic(r, web.Op{
		ID: "ops.redoc", Method: http.MethodGet, Path: "/" + redoc,
		Summary: "The API reference, to read", Description: "ReDoc.",
		Access: authz.Public(),
	}, "text/html", ref.ReDoc)
}

type liveOutput struct {
	Body struct {
		Status Status `json:"status" enum:"ok"`
	}
}

type healthOutput struct {
	Status int
	Body   Health
}

type statusOutput struct {
	Status int
	Body   struct {
		Status Status `json:"status" enum:"ok,degraded,unavailable,off"`
	}
}

type databaseOutput struct {
	Status int
	Body   Database
}

func (s *Service) handleLive(context.Context, *web.Empty) (*liveOutput, error) {
	out := &liveOutput{}
	out.Body.Status = OK
	return out, nil
}

func (s *Service) handleReady(ctx context.Context, _ *web.Empty) (*healthOutput, error) {
	h, err := s.Readiness(ctx)
	return &healthOutput{httpStatus(h.Status), h}, err
}

func (s *Service) handleHealth(ctx context.Context, _ *web.Empty) (*healthOutput, error) {
	h, err := s.Health(ctx)
	return &healthOutput{httpStatus(h.Status), h}, err
}

func (s *Service) handleDatabase(ctx context.Context, _ *web.Empty) (*databaseOutput, error) {
	d, err := s.Database(ctx)
	return &databaseOutput{httpStatus(d.Status), d}, err
}

func (s *Service) handleRedis(context.Context, *web.Empty) (*statusOutput, error) {
	return answer(s.Cache()), nil
}

func (s *Service) handleStorage(ctx context.Context, _ *web.Empty) (*statusOutput, error) {
	found, err := s.Storage(ctx)
	return answer(found), err
}

func (s *Service) handleJobs(ctx context.Context, _ *web.Empty) (*statusOutput, error) {
	found, err := s.Queues(ctx)
	return answer(found), err
}

func answer(s Status) *statusOutput {
	out := &statusOutput{Status: httpStatus(s)}
	out.Body.Status = s
	return out
}

func httpStatus(s Status) int {
	if s == Unavailable {
		return http.StatusServiceUnavailable
	}
	return http.StatusOK
}
