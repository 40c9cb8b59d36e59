package main

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	apps "k8s.io/api/apps/v1"
	autoscaling "k8s.io/api/autoscaling/v2"
	batch "k8s.io/api/batch/v1"
	core "k8s.io/api/core/v1"
	networking "k8s.io/api/networking/v1"
	policy "k8s.io/api/policy/v1"
	"sigs.k8s.io/yaml"
)

// kinds are what the manifests in deploy/k8s are made of: Kubernetes' own types, and that of KEDA.
var kinds = map[string]func() any{
	"v1 Namespace":                                  func() any { return new(core.Namespace) },
	"v1 Secret":                                     func() any { return new(core.Secret) },
	"v1 ConfigMap":                                  func() any { return new(core.ConfigMap) },
	"v1 Service":                                    func() any { return new(core.Service) },
	"apps/v1 Deployment":                            func() any { return new(apps.Deployment) },
	"apps/v1 StatefulSet":                           func() any { return new(apps.StatefulSet) },
	"batch/v1 Job":                                  func() any { return new(batch.Job) },
	"policy/v1 PodDisruptionBudget":                 func() any { return new(policy.PodDisruptionBudget) },
	"networking.k8s.io/v1 NetworkPolicy":            func() any { return new(networking.NetworkPolicy) },
	"autoscaling/v2 HorizontalPodAutoscaler":        func() any { return new(autoscaling.HorizontalPodAutoscaler) },
	"keda.sh/v1alpha1 ScaledObject":                 func() any { return new(scaledObject) },
	"kustomize.config.k8s.io/v1beta1 Kustomization": func() any { return new(kustomization) },
}

// scaledObject is what keda.yaml uses of KEDA's API, which comes in no module of its own size.
type scaledObject struct {
	APIVersion string            `json:"apiVersion"`
	Kind       string            `json:"kind"`
	Metadata   map[string]string `json:"metadata"`
	Spec       struct {
		ScaleTargetRef  map[string]string `json:"scaleTargetRef"`
		MinReplicaCount int               `json:"minReplicaCount"`
		MaxReplicaCount int               `json:"maxReplicaCount"`
		PollingInterval int               `json:"pollingInterval"`
		CooldownPeriod  int               `json:"cooldownPeriod"`
		Triggers        []struct {
			Type       string            `json:"type"`
			Name       string            `json:"name"`
			MetricType string            `json:"metricType"`
			Metadata   map[string]string `json:"metadata"`
		} `json:"triggers"`
	} `json:"spec"`
}

// kustomization is what kustomization.yaml uses.
type kustomization struct {
	APIVersion string   `json:"apiVersion"`
	Kind       string   `json:"kind"`
	Namespace  string   `json:"namespace"`
	Resources  []string `json:"resources"`
	Images     []struct {
		Name    string `json:"name"`
		NewName string `json:"newName"`
		NewTag  string `json:"newTag"`
	} `json:"images"`
}

// workload is a pod template with what stands around it.
type workload struct {
	where  string
	pod    core.PodTemplateSpec
	claims []core.PersistentVolumeClaim
}

// cluster is what the manifests ask for, decoded by Kubernetes' own types: a key that is misspelt, or stands where it
// does not belong, is an error.
type cluster struct {
	workloads []workload
	services  []core.Service
	secrets   map[string]map[string]string
	configs   map[string]map[string]string
}

func readCluster(t *testing.T) cluster {
	t.Helper()
	made := filepath.Join(t.TempDir(), "secrets.yaml")
	if out, err := exec.CommandContext(t.Context(), "go", "run", "../../deploy/secrets", made).CombinedOutput(); err != nil {
		t.Fatalf("make the secrets: %v\n%s", err, out)
	}
	files, err := filepath.Glob("../../deploy/k8s/*.yaml")
	if err != nil || len(files) < 8 {
		t.Fatalf("%d manifests: where have they gone? %v", len(files), err)
	}
	c := cluster{secrets: map[string]map[string]string{}, configs: map[string]map[string]string{"scenario": nil}}
	for _, f := range append(files, made) {
		if filepath.Base(f) == "secrets.yaml" && f != made { // somebody's own
			continue
		}
		text, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		for i, doc := range bytes.Split(append([]byte("\n"), text...), []byte("\n---\n")) {
			if len(bytes.TrimSpace(doc)) == 0 {
				continue
			}
			if err := c.add(doc); err != nil {
				t.Errorf("%s, document %d: %v", filepath.Base(f), i+1, err)
			}
		}
	}
	return c
}

func (c *cluster) add(doc []byte) error {
	var head struct {
		APIVersion string `json:"apiVersion"`
		Kind       string `json:"kind"`
	}
	if err := yaml.Unmarshal(doc, &head); err != nil {
		return err
	}
	empty, ok := kinds[head.APIVersion+" "+head.Kind]
	if !ok {
		return fmt.Errorf("there is no %s of %s", head.Kind, head.APIVersion)
	}
	object := empty()
	if err := yaml.UnmarshalStrict(doc, object); err != nil {
		return err
	}
	switch o := object.(type) {
	case *apps.Deployment:
		c.workloads = append(c.workloads, workload{"Deployment " + o.Name, o.Spec.Template, nil})
	case *apps.StatefulSet:
		c.workloads = append(c.workloads, workload{"StatefulSet " + o.Name, o.Spec.Template, o.Spec.VolumeClaimTemplates})
	case *batch.Job:
		c.workloads = append(c.workloads, workload{"Job " + o.Name, o.Spec.Template, nil})
	case *core.Service:
		c.services = append(c.services, *o)
	case *core.Secret:
		c.secrets[o.Name] = o.StringData
	case *core.ConfigMap:
		c.configs[o.Name] = o.Data
	}
	return nil
}

// What manifests say of each other is true: ports, secrets, volumes, selectors; and our own program takes its arguments.
func TestManifests(t *testing.T) {
	c := readCluster(t)
	ports := map[string]bool{} // service:port
	for _, s := range c.services {
		for _, p := range s.Spec.Ports {
			ports[fmt.Sprintf("%s:%d", s.Name, p.Port)] = true
			if !c.listens(s.Spec.Selector["app"], p.TargetPort.StrVal) {
				t.Errorf("Service %s: nothing that it selects has a port %q", s.Name, p.TargetPort.StrVal)
			}
		}
	}
	for _, w := range c.workloads {
		t.Run(w.where, func(t *testing.T) {
			c.checkPod(t, w)
			for _, box := range w.pod.Spec.Containers {
				c.checkContainer(t, w, box)
				for _, a := range box.Args {
					for _, to := range address.FindAllStringSubmatch(a, -1) {
						if !ports[to[1]] {
							t.Errorf("%s points at a service that there is not", a)
						}
					}
				}
			}
		})
	}
}

var address = regexp.MustCompile(`(?:http|nats|tls)://(?:[^@/]*@)?(?:[a-z]+-\d\.)?([a-z]+:\d+)`)

func (c cluster) listens(app, port string) bool {
	for _, w := range c.workloads {
		if w.pod.Labels["app"] != app {
			continue
		}
		for _, box := range w.pod.Spec.Containers {
			for _, p := range box.Ports {
				if p.Name == port {
					return true
				}
			}
		}
	}
	return false
}

func (c cluster) checkPod(t *testing.T, w workload) {
	t.Helper()
	p := w.pod.Spec
	s := p.SecurityContext
	if s == nil || s.RunAsNonRoot == nil || !*s.RunAsNonRoot || s.RunAsUser == nil || *s.RunAsUser == 0 ||
		s.SeccompProfile == nil || s.SeccompProfile.Type != core.SeccompProfileTypeRuntimeDefault ||
		p.AutomountServiceAccountToken == nil || *p.AutomountServiceAccountToken {
		t.Errorf("its pod may do more than it needs: %+v", s)
	}
	for _, v := range p.Volumes {
		if v.ConfigMap != nil && !has(c.configs, v.ConfigMap.Name) {
			t.Errorf("there is no ConfigMap %s", v.ConfigMap.Name)
		}
		if v.Secret != nil && !has(c.secrets, v.Secret.SecretName) {
			t.Errorf("there is no Secret %s", v.Secret.SecretName)
		}
	}
}

func (c cluster) checkContainer(t *testing.T, w workload, box core.Container) {
	t.Helper()
	for _, m := range box.VolumeMounts {
		if !w.hasVolume(m.Name) {
			t.Errorf("there is no volume %s", m.Name)
		}
	}
	for _, e := range box.Env {
		if e.ValueFrom == nil || e.ValueFrom.SecretKeyRef == nil {
			continue
		}
		if ref := e.ValueFrom.SecretKeyRef; !has(c.secrets[ref.Name], ref.Key) {
			t.Errorf("there is no secret %s with %s", ref.Name, ref.Key)
		}
	}
	s := box.SecurityContext
	if s == nil || s.AllowPrivilegeEscalation == nil || *s.AllowPrivilegeEscalation || s.ReadOnlyRootFilesystem == nil || !*s.ReadOnlyRootFilesystem ||
		s.Capabilities == nil || fmt.Sprint(s.Capabilities.Drop) != "[ALL]" {
		t.Errorf("%s is not boxed in: %+v", box.Name, s)
	}
	if tag := box.Image[strings.LastIndexAny(box.Image, ":@")+1:]; tag == "latest" || !strings.ContainsAny(box.Image, ":@") {
		t.Errorf("%s is not pinned", box.Image)
	}
	if box.Resources.Requests.Cpu().IsZero() || box.Resources.Limits.Memory().IsZero() {
		t.Errorf("%s asks for no CPU, or has no limit of memory", box.Name)
	}
	if strings.HasPrefix(box.Image, "aftershock:") {
		command, rest, err := newRootCommand().Find(box.Args)
		if err == nil {
			err = command.ParseFlags(rest)
		}
		if err != nil || command.Name() != box.Args[0] {
			t.Errorf("aftershock %s: %v", strings.Join(box.Args, " "), err)
		}
	}
}

func (w workload) hasVolume(name string) bool {
	for _, v := range w.pod.Spec.Volumes {
		if v.Name == name {
			return true
		}
	}
	for _, claim := range w.claims {
		if claim.Name == name {
			return true
		}
	}
	return false
}

func has[V any](m map[string]V, key string) bool {
	_, ok := m[key]
	return ok
}

// A misspelt key, and one in the wrong place, are found: the types are decoded strictly.
func TestManifestsAreDecodedStrictly(t *testing.T) {
	for _, doc := range []string{
		"apiVersion: v1\nkind: Service\nmetadata: {name: a}\nspec: {selectors: {app: a}}\n",
		"apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: a}\nspec: {template: {spec: {containers: [{name: a, ressources: {}}]}}}\n",
		"apiVersion: v1\nkind: Deployment\nmetadata: {name: a}\n",
	} {
		if err := new(cluster).add([]byte(doc)); err == nil {
			t.Errorf("nobody minds:\n%s", doc)
		}
	}
}

// NATS takes its configuration and the certificates that are made for it: who has a password and speaks TLS comes in,
// nobody else does, and neither user may listen to the other's subjects.
func TestNATSConfiguration(t *testing.T) {
	c := readCluster(t)
	dir := t.TempDir()
	write := func(name, text string) string {
		t.Helper()
		file := filepath.Join(dir, name)
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return file
	}
	certificate, key := write("tls.crt", c.secrets["nats-tls"]["tls.crt"]), write("tls.key", c.secrets["nats-tls"]["tls.key"])
	authority := write("ca.crt", c.secrets["nats-ca"]["ca.crt"])
	for _, user := range []string{"sender", "runs", "cluster"} {
		t.Setenv(strings.ToUpper(user)+"_PASSWORD", c.secrets["nats"][user])
	}
	t.Setenv("POD_NAME", "nats-0")
	text := strings.NewReplacer("/etc/nats-tls/tls.crt", certificate, "/etc/nats-tls/tls.key", key, "/etc/nats-ca/ca.crt", authority).
		Replace(c.configs["nats"]["nats.conf"])
	o, err := server.ProcessConfigFile(write("nats.conf", text))
	if err != nil {
		t.Fatal(err)
	}
	if len(o.Users) != 2 || len(o.Routes) != 3 || o.Cluster.Password == "" || o.Cluster.TLSConfig == nil || !o.JetStream {
		t.Errorf("%d users, %d routes, %+v", len(o.Users), len(o.Routes), o.Cluster)
	}
	o.Host, o.Port, o.HTTPPort, o.Cluster.Port, o.Routes, o.JetStream, o.NoLog, o.NoSigs = "127.0.0.1", -1, 0, 0, nil, false, true, true
	o.Cluster = server.ClusterOpts{}
	s, err := server.NewServer(o)
	if err != nil {
		t.Fatal(err)
	}
	s.Start()
	defer s.Shutdown()
	known := x509.NewCertPool()
	known.AppendCertsFromPEM([]byte(c.secrets["nats-ca"]["ca.crt"]))
	trust := nats.Secure(&tls.Config{RootCAs: known, ServerName: "nats-2.nats", MinVersion: tls.VersionTLS12})
	at := s.Addr().String()
	for name, try := range map[string]struct {
		url  string
		opts []nats.Option
		ok   bool
	}{
		"a run":                      {"tls://runs:" + c.secrets["nats"]["runs"] + "@" + at, []nats.Option{trust}, true},
		"a sender":                   {"tls://sender:" + c.secrets["nats"]["sender"] + "@" + at, []nats.Option{trust}, true},
		"nobody":                     {"tls://" + at, []nats.Option{trust}, false},
		"a wrong password":           {"tls://runs:x@" + at, []nats.Option{trust}, false},
		"one who trusts nobody else": {"tls://runs:" + c.secrets["nats"]["runs"] + "@" + at, nil, false},
	} {
		conn, err := nats.Connect(try.url, try.opts...)
		if (err == nil) != try.ok {
			t.Errorf("%s: %v", name, err)
		}
		if conn != nil {
			conn.Close()
		}
	}
	for _, u := range o.Users {
		if u.Permissions == nil || u.Password == "" {
			t.Errorf("%s may do everything", u.Username)
		}
	}
}

// Secrets that a cluster may live by are never overwritten.
func TestSecretsAreMadeOnce(t *testing.T) {
	file := filepath.Join(t.TempDir(), "secrets.yaml")
	for i, want := range []bool{true, false} {
		out, err := exec.CommandContext(t.Context(), "go", "run", "../../deploy/secrets", file).CombinedOutput()
		if (err == nil) != want {
			t.Fatalf("time %d: %v\n%s", i+1, err, out)
		}
	}
}
