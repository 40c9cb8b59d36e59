package scenarios

import (
	"cmp"
	_ "embed"
	"encoding"
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"path"
	"reflect"
	"strings"
	"time"

	"github.com/invopop/jsonschema"

	"github.com/aftershock-dev/aftershock/quantity"
)

// Owned is what the schema has to know of the parts that belong to others. Nil and empty parts are left open.
type Owned struct {
	Sender   any      // a value of the type that the sender block is read into
	WhatsApp any      // of the type that the whatsapp block is read into
	Faults   []string // kinds of faults
	Metrics  []string // that thresholds may name
}

// The sources of the types, whose comments become the schema's descriptions.
//
//go:embed scenario.go
var scenarioSource string

//go:embed target.go
var targetSource string

//go:embed metrics.go
var metricsSource string

//go:embed steps.go
var stepsSource string

// JSONSchema returns the JSON Schema of scenario files, for editors.
func JSONSchema(o Owned) ([]byte, error) {
	comments, err := fieldComments(scenarioSource, targetSource, metricsSource, stepsSource)
	if err != nil {
		return nil, err
	}
	r := &jsonschema.Reflector{
		Anonymous: true, ExpandedStruct: true, FieldNameTag: "yaml", RequiredFromJSONSchemaTags: true,
		Mapper: mapType,
		Namer:  nameType,
		LookupComment: func(t reflect.Type, field string) string {
			if t.PkgPath() != reflect.TypeFor[Scenario]().PkgPath() {
				return ""
			}
			return comments[t.Name()+"."+field]
		},
	}
	s := r.Reflect(Scenario{})
	s.Title = "aftershock scenario"
	s.ID = "https://github.com/aftershock-dev/aftershock/scenario.schema.json"
	s.Properties.Set("extends", &jsonschema.Schema{Type: "string", Description: "a scenario of the catalog, or a file, that this one builds on"})
	enum(s, "schema", []string{Schema})
	enum(s, "purpose", purposes)
	for key, v := range map[string]any{"sender": o.Sender, "whatsapp": o.WhatsApp} {
		if v == nil {
			continue
		}
		block := r.Reflect(v)
		for name, def := range block.Definitions {
			s.Definitions[name] = def
		}
		block.Definitions, block.Version = nil, ""
		s.Properties.Set(key, block)
	}
	def := func(name string) *jsonschema.Schema { return s.Definitions["scenarios."+name] }
	enum(def("Load"), "arrivals", arrivals)
	enum(def("Messages"), "class", classes)
	enum(def("Target"), "recognise", recognisers)
	enum(def("Metrics"), "copies", copyFolds)
	enum(def("Threshold"), "level", []string{"error", "warn"})
	enum(def("Step"), "may", []string{"miss"})
	metricNames(def("Threshold"), o.Metrics)
	if len(o.Faults) > 0 {
		f, _ := def("Step").Properties.Get("fault")
		kind, _ := f.Properties.Get("kind")
		kind.Enum = words(o.Faults)
	}
	set, _ := def("Step").Properties.Get("set")
	set.PropertyNames = &jsonschema.Schema{Pattern: `^(sender|whatsapp)(\.|$)`}
	for name, keys := range map[string][]string{"Phase": {"name", "for"}, "Step": {"at"}, "Threshold": {"id", "metric", "is"}, "Target": {"url"}, "Metrics": {"path", "gauges"}, "Request": {"url"}} {
		def(name).Required = keys
	}
	return json.MarshalIndent(s, "", "  ")
}

// nameType tells the types of different packages apart; types without a name have none.
func nameType(t reflect.Type) string {
	if t.Name() == "" {
		return ""
	}
	return path.Base(t.PkgPath()) + "." + t.Name()
}

func words(list []string) []any {
	out := make([]any, len(list))
	for i, w := range list {
		out[i] = w
	}
	return out
}

// enum limits a property to some words.
func enum(s *jsonschema.Schema, property string, list []string) {
	if p, ok := s.Properties.Get(property); ok && len(list) > 0 {
		p.Enum = words(list)
	}
}

// metricNames limits what a threshold may name to a list, and to delivered.within with any duration.
func metricNames(threshold *jsonschema.Schema, list []string) {
	p, ok := threshold.Properties.Get("metric")
	if !ok || len(list) == 0 {
		return
	}
	p.AnyOf = []*jsonschema.Schema{{Type: "string", Enum: words(list)}, {Type: "string", Pattern: `^delivered\.within\([0-9a-zµ.]+\)$`, Examples: []any{"delivered.within(30s)"}},
		{Type: "string", Pattern: `^gauge\.[a-z][a-z0-9_]*\.(max|min|mean|end)$`, Examples: []any{"gauge.workers.min"}}}
}

// mapType gives the schema of types that are written as text.
func mapType(t reflect.Type) *jsonschema.Schema {
	text := func(pattern string, examples ...any) *jsonschema.Schema {
		return &jsonschema.Schema{Type: "string", Pattern: pattern, Examples: examples}
	}
	switch t {
	case reflect.TypeFor[time.Duration]():
		return text(`^([+-]?([0-9]*\.?[0-9]+(ns|us|µs|ms|s|m|h))+|0)$`, "250ms", "90s", "1h30m")
	case reflect.TypeFor[time.Time]():
		return &jsonschema.Schema{Type: "string", Format: "date-time"}
	case reflect.TypeFor[quantity.Rate]():
		return text(`^ *[0-9.eE+]+ */ *[0-9.a-z]+ *$`, "400/min", "80/s", "45/6s")
	case reflect.TypeFor[quantity.Dist]():
		return text("", "350ms", "lognormal(p50=350ms, p99=1.5s)", "uniform(100ms, 300ms)")
	case reflect.TypeFor[quantity.Share]():
		return &jsonschema.Schema{Examples: []any{"30%", 0.3}, AnyOf: []*jsonschema.Schema{
			{Type: "string", Pattern: `^ *[0-9.]+ *%? *$`}, {Type: "number", Minimum: "0", Maximum: "1"},
		}}
	case reflect.TypeFor[Block]():
		return &jsonschema.Schema{Type: "object"}
	case reflect.TypeFor[Fault]():
		s := &jsonschema.Schema{Type: "object", Properties: jsonschema.NewProperties(), Required: []string{"kind"}}
		s.Properties.Set("kind", &jsonschema.Schema{Type: "string"})
		return s
	}
	if t.Kind() != reflect.Pointer && reflect.PointerTo(t).Implements(reflect.TypeFor[encoding.TextUnmarshaler]()) {
		return &jsonschema.Schema{AnyOf: []*jsonschema.Schema{{Type: "string"}, {Type: "number"}}}
	}
	return nil
}

// fieldComments reads the comments of structs and their fields, as Type.Field and "Type." for the type's own.
func fieldComments(sources ...string) (map[string]string, error) {
	out := map[string]string{}
	for _, src := range sources {
		f, err := parser.ParseFile(token.NewFileSet(), "", src, parser.ParseComments)
		if err != nil {
			return nil, fmt.Errorf("comments of the schema: %w", err)
		}
		for _, d := range f.Decls {
			g, ok := d.(*ast.GenDecl)
			if !ok || g.Tok != token.TYPE {
				continue
			}
			for _, spec := range g.Specs {
				t, ok := spec.(*ast.TypeSpec)
				if !ok {
					continue
				}
				out[t.Name.Name+"."] = clean(cmp.Or(t.Doc.Text(), g.Doc.Text()))
				st, ok := t.Type.(*ast.StructType)
				if !ok {
					continue
				}
				for _, field := range st.Fields.List {
					for _, name := range field.Names {
						out[t.Name.Name+"."+name.Name] = clean(cmp.Or(field.Doc.Text(), field.Comment.Text()))
					}
				}
			}
		}
	}
	return out, nil
}

func clean(comment string) string { return strings.Join(strings.Fields(comment), " ") }
