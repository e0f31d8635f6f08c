package cli

import (
	"bytes"
	"encoding/json"
	"os"

	"github.com/spf13/cobra"

	"github.com/tenonhq/tenon"
)

const openapiHelp = `The document includes the operations of your own modules. No database is needed.

  tenon openapi > openapi.json`

func (e *environment) openapi() *cobra.Command {
	return e.command("openapi", "Print the OpenAPI document of this program.", openapiHelp, func([]string) error { return e.printOpenAPI() })
}

func (e *environment) printOpenAPI() error {
	dir, err := os.MkdirTemp("", "tenon-openapi-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	app, err := e.app(inFolder(dir))
	if err != nil {
		return err
	}
	defer app.Close()
	doc, err := app.Web.OpenAPI()
	if err != nil {
		return err
	}
	var pretty bytes.Buffer
	if err := json.Indent(&pretty, doc, "", "  "); err != nil {
		return err
	}
	pretty.WriteByte('\n')
	_, err = pretty.WriteTo(os.Stdout)
	return err
}

// inFolder makes an app that has nothing to do with any installation.
func inFolder(dir string) func(*tenon.Config) {
	return func(cfg *tenon.Config) {
		*cfg = tenon.Config{Data: dir, Brand: cfg.Brand}
	}
}
