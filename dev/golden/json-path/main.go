// Prints, as JSON, what kubectl's JSONPath finds in an object, so that a test can hold ours to the same.
// Run it in this directory and keep what it prints:
//
//	go run . > ../../../test/unit/core/objects/json-paths.json
package main

import (
	"bytes"
	"encoding/json"
	"os"

	"k8s.io/client-go/util/jsonpath"
)

const object = `{
  "metadata": {
    "name": "shop",
    "labels": {"app.kubernetes.io/version": "1.4.2", "tier": "web", "app": {"kubernetes": "nested"}},
    "annotations": {"a-b": "dash", "it's": "quote", "sp ace": "blank", "ä": "umlaut"}
  },
  "spec": {
    "major": 1,
    "minor": 4,
    "ratio": 0.5,
    "paused": false,
    "nothing": null,
    "containers": [
      {"name": "shop", "image": "shop:1.4.2", "ports": [{"number": "80"}], "weight": 1.5},
      {"name": "side", "image": "side:7", "ports": [{"number": "81"}], "weight": 2.5, "extra": "yes"},
      {"name": "last", "image": "last:9", "ports": []}
    ]
  }
}`

var templates = []string{
	"{.metadata.name}", "{ .metadata.name }", "{$.metadata.name}", "{@.metadata.name}", "{.metadata .name}",
	`{.metadata.labels.app\.kubernetes\.io/version}`, `{.metadata.labels['app\.kubernetes\.io/version']}`,
	"{.metadata.labels['app.kubernetes.io/version']}", "{.metadata.labels['app.kubernetes']}",
	"{['metadata']['name']}", "{.metadata['name']}", "{.metadata.annotations.a-b}",
	"{.metadata.annotations.it's}", `{.metadata.annotations.sp\ ace}`, "{.metadata.annotations.ä}",
	"{.spec.major}", "{.spec.ratio}", "{.spec.paused}", "v{.spec.major}.{.spec.minor}.0",
	"{.spec.major}{.spec.minor}", "",
	"{.spec.containers[0].image}", "{.spec.containers[-1].image}", "{.spec.containers[-3].image}",
	"{.spec.containers[01].image}", "{.spec.containers[1:2].image}", "{.spec.containers[-2:-1].image}",
	"{.spec.containers[2:].image}", "{.spec.containers[:1].image}", "{.spec.containers[0:3:3].image}",
	"{.spec.containers[?(@.name==\"side\")].image}", "{.spec.containers[?(@.name=='side')].image}",
	"{.spec.containers[?(@.name == 'side')].image}", "{.spec.containers[?(@.weight>2.0)].image}",
	"{.spec.containers[?(@.weight<=1.5)].image}", "{.spec.containers[?(@.extra)].image}",
	"{.spec.containers[?(@.ports[0].number==\"81\")].image}", "{.spec.containers[?(.name==\"side\")].image}",
	"{.spec.containers[?(@.extra==\"yes\")].ports[0].number}", "{..extra}",
	"{.metadata['name','labels'].tier}", "{.spec.containers[0].ports[*].number}",
	"{.spec.absent}", "{.spec.containers[3].image}", "{.spec.containers[-4].image}", "{.spec.major.deeper}",
	"{.spec.containers.name}", "{.spec[0]}", "{.spec.nothing.deeper}", "{.}", "{.spec.}",
	"{.spec", "{.spec[}", "{.spec.containers[a]}", "{.spec.containers[::0].image}", "{!}", "{.spec.containers[?(@.x}",
}

func main() {
	var data any
	if err := json.Unmarshal([]byte(object), &data); err != nil {
		panic(err)
	}
	found := make(map[string]*string, len(templates))
	for _, text := range templates {
		found[text] = nil
		path := jsonpath.New("golden")
		if err := path.Parse(text); err != nil {
			continue
		}
		var buffer bytes.Buffer
		if err := path.Execute(&buffer, data); err != nil {
			continue
		}
		printed := buffer.String()
		found[text] = &printed
	}
	encoder := json.NewEncoder(os.Stdout)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	golden := map[string]any{"library": "k8s.io/client-go v0.36.4", "object": data, "found": found}
	if err := encoder.Encode(golden); err != nil {
		panic(err)
	}
}
