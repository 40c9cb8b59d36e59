package fakewa

import (
	"bytes"
	"encoding"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/goccy/go-yaml"
)

// ParseConfig reads a configuration over Defaults: what the file does not say stays as Meta documents it. An unknown
// key or an impossible value is an error that names file and line.
func ParseConfig(file string, data []byte) (Config, error) {
	return patch(file, Defaults(), data)
}

// patch reads settings over c. Keys may be nested (media: {upload_life: 1h}) or dotted (media.upload_life: 1h).
func patch(file string, c Config, data []byte) (Config, error) {
	if len(bytes.TrimSpace(data)) == 0 {
		return c, nil
	}
	data, err := nested(data)
	if err != nil {
		return Config{}, fmt.Errorf("%s: %w", file, err)
	}
	if err := decode(file, data, &c); err != nil {
		return Config{}, err
	}
	c = c.filled()
	if err := c.validate(); err != nil {
		return Config{}, fmt.Errorf("%s: %w", file, err)
	}
	return c, nil
}

// decode reads YAML strictly.
func decode(file string, data []byte, into any) error {
	if err := yaml.UnmarshalWithOptions(data, into, yaml.Strict()); err != nil {
		return fmt.Errorf("%s: %s", file, yaml.FormatError(err, false, true))
	}
	return nil
}

// nested turns dotted keys into blocks; a document without dotted keys is returned as it is, lines and all.
func nested(data []byte) ([]byte, error) {
	var flat yaml.MapSlice
	if err := yaml.Unmarshal(data, &flat); err != nil {
		return nil, fmt.Errorf("%s", yaml.FormatError(err, false, true))
	}
	if !slices.ContainsFunc(flat, func(m yaml.MapItem) bool { return strings.Contains(fmt.Sprint(m.Key), ".") }) {
		return data, nil
	}
	var out yaml.MapSlice
	for _, m := range flat {
		out = place(out, strings.Split(fmt.Sprint(m.Key), "."), m.Value)
	}
	return yaml.Marshal(out)
}

func place(into yaml.MapSlice, path []string, v any) yaml.MapSlice {
	for i, m := range into {
		if m.Key == path[0] {
			inner, ok := m.Value.(yaml.MapSlice)
			if ok && len(path) > 1 {
				into[i].Value = place(inner, path[1:], v)
			} else {
				into[i].Value = v
			}
			return into
		}
	}
	if len(path) == 1 {
		return append(into, yaml.MapItem{Key: path[0], Value: v})
	}
	return append(into, yaml.MapItem{Key: path[0], Value: place(nil, path[1:], v)})
}

// flatten lists every setting by its dotted key.
func (c Config) flatten() map[string]string {
	out := map[string]string{}
	walk("", reflect.ValueOf(c.filled()), out)
	return out
}

func walk(prefix string, v reflect.Value, out map[string]string) {
	if m, ok := v.Interface().(encoding.TextMarshaler); ok {
		b, err := m.MarshalText()
		if err == nil {
			out[prefix] = string(b)
		}
		return
	}
	if d, ok := v.Interface().(time.Duration); ok {
		out[prefix] = d.String()
		return
	}
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			key, _, _ := strings.Cut(v.Type().Field(i).Tag.Get("yaml"), ",")
			if prefix != "" {
				key = prefix + "." + key
			}
			walk(key, v.Field(i), out)
		}
	case reflect.Slice:
		if v.Len() == 0 || v.Type().Elem().Kind() != reflect.Struct {
			out[prefix] = fmt.Sprint(v.Interface())
			return
		}
		for i := range v.Len() {
			walk(prefix+"["+strconv.Itoa(i)+"]", v.Index(i), out)
		}
	default:
		out[prefix] = fmt.Sprint(v.Interface())
	}
}
