package reports

import (
	"encoding/json"
	"reflect"
	"strings"
)

// SummarySchema is the JSON Schema of summary.json, made from the Go types.
func SummarySchema() ([]byte, error) {
	s := schemaOf(reflect.TypeFor[Summary]())
	s["$schema"] = "https://json-schema.org/draft/2020-12/schema"
	s["$id"] = "https://github.com/aftershock-dev/aftershock/blob/main/docs/summary.schema.json"
	s["title"] = "summary.json of an aftershock run"
	b, err := json.MarshalIndent(s, "", "  ")
	return append(b, '\n'), err
}

func schemaOf(t reflect.Type) map[string]any {
	switch t {
	case reflect.TypeFor[Verdict]():
		return map[string]any{"enum": []string{string(Met), string(Missed), string(Invalid)}}
	case reflect.TypeFor[Millis]():
		return map[string]any{"type": []string{"number", "null"}}
	}
	switch t.Kind() {
	case reflect.Pointer:
		inner := schemaOf(t.Elem())
		if name, ok := inner["type"].(string); ok {
			inner["type"] = []string{name, "null"}
		}
		return inner
	case reflect.Slice:
		return map[string]any{"type": "array", "items": schemaOf(t.Elem())}
	case reflect.Map:
		return map[string]any{"type": "object", "additionalProperties": schemaOf(t.Elem())}
	case reflect.String:
		return map[string]any{"type": "string"}
	case reflect.Bool:
		return map[string]any{"type": "boolean"}
	case reflect.Int, reflect.Int64:
		return map[string]any{"type": "integer"}
	case reflect.Float64:
		return map[string]any{"type": "number"}
	}
	properties, required := map[string]any{}, []string{}
	for i := range t.NumField() {
		name, options, _ := strings.Cut(t.Field(i).Tag.Get("json"), ",")
		p := schemaOf(t.Field(i).Type)
		if name == "schema" {
			p = map[string]any{"const": SchemaSummary}
		}
		properties[name] = p
		if options != "omitempty" {
			required = append(required, name)
		}
	}
	return map[string]any{"type": "object", "properties": properties, "required": required, "additionalProperties": false}
}
