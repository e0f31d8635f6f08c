// Command bare is a SaaS backend in ten lines: http://127.0.0.1:8000/docs
package main

import (
	"context"
	"fmt"
	"log"
	"os"
	"os/signal"
	"syscall"

	"github.com/tenonhq/tenon"
)

func main() {
	app, err := tenon.New(tenon.Config{})
	if err != nil {
		log.Fatal(err)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := app.Serve(ctx, tenon.ServeOptions{SetupLink: func(link string) { fmt.Println(link) }}); err != nil {
		log.Fatal(err)
	}
}
