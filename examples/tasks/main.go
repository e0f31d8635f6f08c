// Command tasks is Tenon with one module more, and the same command line:
//
//	go run ./examples/tasks serve
package main

import (
	"github.com/tenonhq/tenon"
	"github.com/tenonhq/tenon/cli"
	"github.com/tenonhq/tenon/examples/tasks/tasks"
)

func main() {
	cli.Main(func(app *tenon.App) { app.Use(tasks.New(app).Module()) })
}
