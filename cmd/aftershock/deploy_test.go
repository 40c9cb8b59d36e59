package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/nats-io/nats-server/v2/server"
)

// The types below are what the manifests in deploy/k8s use of Kubernetes' API. They are decoded strictly: a key that is
// misspelt, or stands where it does not belong, is an error. A key that is new to them is added here.
type manifest struct {
	APIVersion, Kind string
	Metadata         meta
	Spec             spec
	Data, StringData map[string]string
}

type meta struct {
	Name                string
	Labels, Annotations map[string]string
}

type spec struct {
	ClusterIP                string
	PublishNotReadyAddresses bool
	ServiceName              string
	Replicas                 *int
	PodManagementPolicy      string
	Strategy                 struct{ Type string }
	Selector                 map[string]any
	Ports                    []servicePort
	Template                 struct {
		Metadata meta
		Spec     pod
	}
	VolumeClaimTemplates []struct {
		Metadata meta
		Spec     struct {
			AccessModes []string
			Resources   resources
		}
	}
	PodSelector               map[string]any    // NetworkPolicy
	PolicyTypes               []string          //
	Ingress                   []map[string]any  //
	MaxUnavailable            int               // PodDisruptionBudget
	CompletionMode            string            // Job
	Completions, Parallelism  int               //
	BackoffLimit              *int              //
	ScaleTargetRef            map[string]string // HorizontalPodAutoscaler, ScaledObject
	MinReplicas, MaxReplicas  int               //
	Metrics                   []map[string]any  //
	Behavior                  map[string]any    //
	MinReplicaCount           int               // ScaledObject
	MaxReplicaCount           int               //
	PollingInterval, Cooldown int               //
	CooldownPeriod            int               //
	Triggers                  []struct {        //
		Type, Name, MetricType string
		Metadata               map[string]string
	}
}

type servicePort struct {
	Name       string
	Port       int
	TargetPort string
}

type pod struct {
	RestartPolicy                 string
	TerminationGracePeriodSeconds int
	SecurityContext               struct {
		RunAsNonRoot                   bool
		RunAsUser, RunAsGroup, FSGroup int
		SeccompProfile                 struct{ Type string }
	}
	AutomountServiceAccountToken *bool
	EnableServiceLinks           *bool
	Affinity                     map[string]any
	TopologySpreadConstraints    []map[string]any
	Containers                   []container
	Volumes                      []struct {
		Name      string
		ConfigMap struct{ Name string }
		EmptyDir  *struct{ SizeLimit string }
	}
}

type container struct {
	Name, Image string
	Args        []string
	Env         []struct {
		Name, Value string
		ValueFrom   struct {
			FieldRef     struct{ FieldPath string }
			SecretKeyRef struct{ Name, Key string }
		}
	}
	Ports []struct {
		Name          string
		ContainerPort int
	}
	ReadinessProbe, LivenessProbe struct {
		HTTPGet struct {
			Path, Port string
		}
		TCPSocket     struct{ Port string }
		PeriodSeconds int
	}
	SecurityContext struct {
		AllowPrivilegeEscalation *bool
		ReadOnlyRootFilesystem   bool
		Capabilities             struct{ Drop []string }
	}
	Resources    resources
	VolumeMounts []struct{ Name, MountPath string }
}

type resources struct{ Requests, Limits map[string]string }

// manifests reads every document below deploy/k8s.
func manifests(t *testing.T) []manifest {
	t.Helper()
	files, err := filepath.Glob("../../deploy/k8s/*.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var out []manifest
	for _, f := range files {
		if filepath.Base(f) == "kustomization.yaml" {
			continue
		}
		text, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		for i, doc := range bytes.Split(text, []byte("\n---\n")) {
			var m manifest
			// Kubernetes writes keys in lower camel case, and so does the decoder's comparison.
			if err := yaml.UnmarshalWithOptions(camel(doc), &m, yaml.Strict()); err != nil {
				t.Errorf("%s, document %d: %v", filepath.Base(f), i+1, err)
			}
			out = append(out, m)
		}
	}
	if len(out) < 12 {
		t.Fatalf("%d manifests: where have they gone?", len(out))
	}
	return out
}

var key = regexp.MustCompile(`(^|[{,]|\n)(\s*(?:- )?\{?)([a-z][A-Za-z]*):`)

// camel makes keys as the decoder expects those of fields without tags: in lower case.
func camel(doc []byte) []byte {
	return key.ReplaceAllFunc(doc, bytes.ToLower)
}

// What manifests say of each other is true: ports, secrets, volumes, selectors; and our own program takes its arguments.
func TestManifests(t *testing.T) {
	all := manifests(t)
	secrets, configs, labels := map[string]bool{}, map[string]bool{"scenario": true}, map[string]container{}
	for _, m := range all {
		for k := range m.StringData {
			secrets[m.Metadata.Name+"/"+strings.ToLower(k)] = true
		}
		if m.Kind == "ConfigMap" {
			configs[m.Metadata.Name] = true
		}
		for _, c := range m.Spec.Template.Spec.Containers {
			labels[m.Spec.Template.Metadata.Labels["app"]] = c
		}
	}
	services := map[string]map[string]bool{}
	for _, m := range all {
		where := m.Kind + " " + m.Metadata.Name
		if m.Kind == "Service" {
			ports := map[string]bool{}
			for _, p := range labels[fmt.Sprint(m.Spec.Selector["app"])].Ports {
				ports[p.Name] = true
			}
			services[m.Metadata.Name] = map[string]bool{}
			for _, p := range m.Spec.Ports {
				services[m.Metadata.Name][fmt.Sprint(p.Port)] = true
				if !ports[p.TargetPort] {
					t.Errorf("%s: nothing that it selects has a port %q", where, p.TargetPort)
				}
			}
		}
		checkPod(t, where, m, secrets, configs)
	}
	for _, m := range all {
		for _, c := range m.Spec.Template.Spec.Containers {
			for _, a := range c.Args {
				for _, host := range regexp.MustCompile(`(?:http|nats)://(?:[^@/]*@)?(?:[a-z]+-\d\.)?([a-z]+):(\d+)`).FindAllStringSubmatch(a, -1) {
					if !services[host[1]][host[2]] {
						t.Errorf("%s: %s points at a service that there is not", m.Metadata.Name, a)
					}
				}
			}
		}
	}
}

func checkPod(t *testing.T, where string, m manifest, secrets, configs map[string]bool) {
	t.Helper()
	p := m.Spec.Template.Spec
	if s := p.SecurityContext; len(p.Containers) > 0 && (!s.RunAsNonRoot || s.RunAsUser == 0 || s.SeccompProfile.Type != "RuntimeDefault" ||
		p.AutomountServiceAccountToken == nil || *p.AutomountServiceAccountToken) {
		t.Errorf("%s: its pod may do more than it needs: %+v", where, s)
	}
	volumes := map[string]bool{}
	for _, v := range p.Volumes {
		volumes[v.Name] = true
		if v.ConfigMap.Name != "" && !configs[v.ConfigMap.Name] {
			t.Errorf("%s: there is no ConfigMap %s", where, v.ConfigMap.Name)
		}
	}
	for _, v := range m.Spec.VolumeClaimTemplates {
		volumes[v.Metadata.Name] = true
	}
	for _, c := range p.Containers {
		for _, v := range c.VolumeMounts {
			if !volumes[v.Name] {
				t.Errorf("%s: there is no volume %s", where, v.Name)
			}
		}
		for _, e := range c.Env {
			if s := e.ValueFrom.SecretKeyRef; s.Name != "" && !secrets[s.Name+"/"+s.Key] {
				t.Errorf("%s: there is no secret %s with %s", where, s.Name, s.Key)
			}
		}
		if s := c.SecurityContext; s.AllowPrivilegeEscalation == nil || *s.AllowPrivilegeEscalation || !s.ReadOnlyRootFilesystem || fmt.Sprint(s.Capabilities.Drop) != "[ALL]" {
			t.Errorf("%s: %s is not boxed in: %+v", where, c.Name, s)
		}
		if tag := c.Image[strings.LastIndexAny(c.Image, ":@")+1:]; tag == "latest" || !strings.ContainsAny(c.Image, ":@") {
			t.Errorf("%s: %s is not pinned", where, c.Image)
		}
		if c.Resources.Requests["cpu"] == "" || c.Resources.Limits["memory"] == "" {
			t.Errorf("%s: %s asks for no CPU, or has no limit of memory", where, c.Name)
		}
		if strings.HasPrefix(c.Image, "aftershock:") {
			command, rest, err := newRootCommand().Find(c.Args)
			if err == nil {
				err = command.ParseFlags(rest)
			}
			if err != nil || command.Name() != c.Args[0] {
				t.Errorf("%s: aftershock %s: %v", where, strings.Join(c.Args, " "), err)
			}
		}
	}
}

// NATS takes its configuration, knows its users, and lets none of them into the other's subjects.
func TestNATSConfiguration(t *testing.T) {
	for _, name := range []string{"POD_NAME", "SENDER_PASSWORD", "RUNS_PASSWORD", "CLUSTER_PASSWORD"} {
		t.Setenv(name, "x"+strings.ToLower(name[:4]))
	}
	for _, m := range manifests(t) {
		text := m.Data["nats.conf"]
		if text == "" {
			continue
		}
		file := filepath.Join(t.TempDir(), "nats.conf")
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		o, err := server.ProcessConfigFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if len(o.Users) != 2 || len(o.Routes) != 3 || o.Cluster.Password == "" || !o.JetStream {
			t.Errorf("%d users, %d routes", len(o.Users), len(o.Routes))
		}
		for _, u := range o.Users {
			if u.Permissions == nil || u.Password == "" {
				t.Errorf("%s may do everything", u.Username)
			}
		}
		return
	}
	t.Fatal("no manifest holds nats.conf")
}
