.DEFAULT_GOAL := help
SHELL := /bin/bash

help: ## Show this list
	@if [ -t 1 ]; then bold='\033[1m' name='\033[36m' plain='\033[0m'; fi; \
	printf "\n  $${bold}Tenon$${plain}: what make can do\n\n"; \
	awk -F ':.*## ' -v name="$$name" -v plain="$$plain" \
		'/^[a-z0-9-]+:.*## / { printf "  %s%-13s%s %s\n", name, $$1, plain, $$2 }' $(MAKEFILE_LIST); \
	echo

run: ## Start the server on http://127.0.0.1:8000
	go run ./cmd/tenon serve

build: ## Build bin/tenon
	CGO_ENABLED=0 go build -trimpath -ldflags '-s -w' -o bin/tenon ./cmd/tenon

test: ## Run all tests on SQLite and PostgreSQL
	go test ./...

check: lint ## What a change must pass before review: lint, architecture, NOTICE
	go test -count=1 ./internal/arch
	go run ./internal/notice -check

lint: ## Check formatting, vet and staticcheck
	scripts/lint

bench: ## Measure the product beside a bare program (BENCH="--quick" for a first impression)
	go run ./test/load $(BENCH)
	scripts/bench

faults: ## Break databases, mail and the process itself, at full size (minutes)
	TENON_FAULTS=full go test -count=1 -v -timeout 60m ./test/fault/...

fuzz: ## Fuzz every parser for ten seconds
	scripts/fuzz 10

console: ## Build the web console into console/dist
	npm ci && npm run gen -w console && npm run build -w console

e2e: ## Run the browser journeys
	npm ci && npm run e2e -w console

screenshots: ## Take the pictures of docs/screenshots
	npm ci && npm run screenshots -w console

configuration: ## Write docs/CONFIGURATION.md from the Config structs
	go run ./internal/configdoc

notice: ## Write NOTICE from the modules in go.mod
	go run ./internal/notice

tidy: ## Tidy the module files
	go mod tidy
	cd tools && go mod tidy

clean: ## Remove what was built
	rm -rf bin dist

.PHONY: help run build test check lint bench faults fuzz console e2e screenshots configuration notice tidy clean
