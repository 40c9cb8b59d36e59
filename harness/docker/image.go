package docker

import (
	"archive/tar"
	"bytes"
	"context"
	"crypto/sha256"
	"debug/elf"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/containerd/errdefs"
	"github.com/moby/moby/client"
	"github.com/testcontainers/testcontainers-go"
)

// dockerfile makes the image: our binary, and two places to write to.
const dockerfile = `FROM scratch
COPY root/ /
USER 65534:65534
ENTRYPOINT ["/aftershock"]
`

// workDir is where a part finds its files and may keep its own.
const workDir = "/work"

// buildWithin bounds how long the image may take.
const buildWithin = 5 * time.Minute

// buildImage builds the image unless the engine has it already, and returns its name.
func buildImage(ctx context.Context, provider *testcontainers.DockerProvider, exe string) (name string, err error) {
	binary, err := os.ReadFile(exe)
	if err != nil {
		return "", fmt.Errorf("read our own binary: %w", err)
	}
	if err := checkStatic(exe, binary); err != nil {
		return "", err
	}
	sum := sha256.New()
	sum.Write([]byte(dockerfile)) // a hash does not fail
	sum.Write(binary)
	const repo = "aftershock"
	tag := hex.EncodeToString(sum.Sum(nil)[:6])
	name = repo + ":" + tag
	if _, err := provider.Client().ImageInspect(ctx, name); err == nil {
		return name, nil
	} else if !errdefs.IsNotFound(err) {
		return "", fmt.Errorf("look for image %s: %w", name, err)
	}
	archive, err := buildContext(binary)
	if err != nil {
		return "", err
	}
	var log bytes.Buffer
	req := testcontainers.ContainerRequest{FromDockerfile: testcontainers.FromDockerfile{
		ContextArchive: bytes.NewReader(archive), Repo: repo, Tag: tag, KeepImage: true, BuildLogWriter: &log,
		BuildOptionsModifier: func(o *client.ImageBuildOptions) { o.Labels = map[string]string{label: "image"} },
	}}
	// A build that is broken off leaves layers behind that nobody knows: it takes seconds, and is finished.
	build, cancel := context.WithTimeout(context.WithoutCancel(ctx), buildWithin)
	defer cancel()
	if _, err = provider.BuildImage(build, &req); err != nil {
		return "", fmt.Errorf("build image %s: %w\n%s", name, err, bytes.TrimSpace(log.Bytes()))
	}
	return name, ctx.Err()
}

// checkStatic refuses a binary that needs anything that an empty image does not have.
func checkStatic(path string, binary []byte) error {
	const hint = "hint: build it with 'make build' (CGO_ENABLED=0), and for Linux when this is another system"
	f, err := elf.NewFile(bytes.NewReader(binary))
	if err != nil {
		return fmt.Errorf("%s cannot run in a container: it is not a Linux program\n%s", path, hint)
	}
	for _, p := range f.Progs {
		if p.Type == elf.PT_INTERP {
			loader, _ := io.ReadAll(io.LimitReader(p.Open(), 256))
			return fmt.Errorf("%s cannot run in an empty image: it is linked dynamically (%s)\n%s", path, bytes.TrimRight(loader, "\x00"), hint)
		}
	}
	return nil
}

// buildContext is the tar archive that the image is built from.
func buildContext(binary []byte) ([]byte, error) {
	var buf bytes.Buffer
	w := tar.NewWriter(&buf)
	when := time.Unix(0, 0)
	var errs []error
	for _, dir := range []string{"root/", "root/tmp/", "root" + workDir + "/"} {
		errs = append(errs, w.WriteHeader(&tar.Header{Typeflag: tar.TypeDir, Name: dir, Mode: 0o777, ModTime: when}))
	}
	for _, f := range []struct {
		name string
		data []byte
		mode int64
	}{{"Dockerfile", []byte(dockerfile), 0o644}, {"root/aftershock", binary, 0o755}} {
		h := &tar.Header{Typeflag: tar.TypeReg, Name: f.name, Mode: f.mode, Size: int64(len(f.data)), ModTime: when}
		errs = append(errs, w.WriteHeader(h))
		_, err := w.Write(f.data)
		errs = append(errs, err)
	}
	return buf.Bytes(), errors.Join(append(errs, w.Close())...)
}
