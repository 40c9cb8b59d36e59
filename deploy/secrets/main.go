// secrets writes deploy/k8s/secrets.yaml: passwords, tokens and certificates made for one cluster, of no use elsewhere.
//
//	go run ./deploy/secrets [FILE]
package main

import (
	"bytes"
	"cmp"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"os"
	"time"

	"github.com/goccy/go-yaml"
)

// lasts is how long the certificates are good for. There is nobody who renews them: make new ones before.
const lasts = 2 * 365 * 24 * time.Hour

func main() {
	name := "deploy/k8s/secrets.yaml"
	if len(os.Args) > 1 {
		name = os.Args[1]
	}
	if err := write(name); err != nil {
		fmt.Fprintln(os.Stderr, "secrets:", err)
		os.Exit(1)
	}
	fmt.Println("wrote", name, "- keep it out of version control; the certificates end", time.Now().Add(lasts).Format(time.DateOnly))
}

// write makes the file, and never replaces one: a cluster may live by it.
func write(name string) error {
	text, err := manifests(time.Now())
	if err != nil {
		return err
	}
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return fmt.Errorf("%w\nhint: delete it first if no cluster uses it any more", err)
	}
	_, err = f.Write(text)
	return cmp.Or(err, f.Close())
}

// secret is a Kubernetes Secret.
type secret struct {
	APIVersion string            `yaml:"apiVersion"`
	Kind       string            `yaml:"kind"`
	Metadata   map[string]string `yaml:"metadata"`
	StringData map[string]string `yaml:"stringData"`
}

// manifests returns the Secrets that the other manifests name, as YAML.
func manifests(now time.Time) ([]byte, error) {
	authority, err := newAuthority(now)
	if err != nil {
		return nil, err
	}
	certificate, key, err := authority.issue("nats", "nats-0.nats", "nats-1.nats", "nats-2.nats", "localhost")
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	for _, s := range []struct {
		name string
		data map[string]string
	}{
		{"nats", map[string]string{"sender": rand.Text(), "runs": rand.Text(), "cluster": rand.Text()}},
		{"nats-tls", map[string]string{"tls.crt": certificate, "tls.key": key}},
		{"nats-ca", map[string]string{"ca.crt": authority.text()}},
		{"aftershock", map[string]string{
			"fake-token": rand.Text(), "token": "EAA" + rand.Text(), "app-secret": rand.Text(), "verify-token": rand.Text(),
			"operator-token": rand.Text(), "agent-key": rand.Text(),
		}},
	} {
		text, err := yaml.MarshalWithOptions(secret{"v1", "Secret", map[string]string{"name": s.name}, s.data}, yaml.UseLiteralStyleIfMultiline(true))
		if err != nil {
			return nil, err
		}
		out.WriteString("---\n")
		out.Write(text)
	}
	return out.Bytes(), nil
}

// authority is a certificate authority that forgets its key when the program ends.
type authority struct {
	certificate *x509.Certificate
	key         *ecdsa.PrivateKey
	now         time.Time
}

func newAuthority(now time.Time) (*authority, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	template, err := certificate(now, "aftershock")
	if err != nil {
		return nil, err
	}
	template.IsCA, template.BasicConstraintsValid, template.KeyUsage = true, true, x509.KeyUsageCertSign
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		return nil, err
	}
	c, err := x509.ParseCertificate(der)
	return &authority{c, key, now}, err
}

// issue makes a certificate for both ends of connections between servers, and the key of it.
func (a *authority) issue(names ...string) (text, key string, err error) {
	own, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return "", "", err
	}
	template, err := certificate(a.now, names[0])
	if err != nil {
		return "", "", err
	}
	template.DNSNames, template.KeyUsage = names, x509.KeyUsageDigitalSignature
	template.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth}
	der, err := x509.CreateCertificate(rand.Reader, template, a.certificate, &own.PublicKey, a.key)
	if err != nil {
		return "", "", err
	}
	secret, err := x509.MarshalPKCS8PrivateKey(own)
	return block("CERTIFICATE", der), block("PRIVATE KEY", secret), err
}

func (a *authority) text() string { return block("CERTIFICATE", a.certificate.Raw) }

func certificate(from time.Time, name string) (*x509.Certificate, error) {
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 127))
	return &x509.Certificate{SerialNumber: serial, Subject: pkix.Name{CommonName: name}, NotBefore: from.Add(-time.Hour), NotAfter: from.Add(lasts)}, err
}

func block(kind string, der []byte) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
}
