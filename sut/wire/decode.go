package wire

import "github.com/go-json-experiment/json"

// Decode reads a JSON document into v. It is the next version of encoding/json, three times as fast on the small
// documents that travel between the services, which are read a million times in a replay. Keys match exactly, unknown
// ones are ignored, and a doubled key or broken UTF-8 is an error.
func Decode(body []byte, v any) error { return json.Unmarshal(body, v) }
