// Package offlimits knows whom no load may reach: Meta's own servers. A misspelt host, or a name that a resolver sends
// there, must end a run before its first message.
package offlimits

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"time"
)

// ErrMeta is returned for an address that belongs to Meta.
var ErrMeta = errors.New("this is Meta's own server: aftershock sends load to a fake, and to nobody else")

// domains are Meta's, with everything below them.
var domains = []string{
	"facebook.com", "facebook.net", "fb.com", "fbcdn.net", "fbsbx.com", "instagram.com", "meta.com", "messenger.com",
	"whatsapp.com", "whatsapp.net", "wa.me",
}

// networks are those that Meta's autonomous system (AS32934) announces.
var networks = parse(
	"31.13.24.0/21", "31.13.64.0/18", "45.64.40.0/22", "57.141.0.0/16", "57.144.0.0/14", "66.220.144.0/20", "69.63.176.0/20",
	"69.171.224.0/19", "74.119.76.0/22", "102.132.96.0/20", "103.4.96.0/22", "129.134.0.0/16", "147.75.208.0/20",
	"157.240.0.0/16", "163.70.128.0/17", "173.252.64.0/18", "179.60.192.0/22", "185.60.216.0/22", "185.89.216.0/22",
	"204.15.20.0/22", "2620:0:1c00::/40", "2a03:2880::/29",
)

func parse(texts ...string) []netip.Prefix {
	out := make([]netip.Prefix, len(texts))
	for i, t := range texts {
		out[i] = netip.MustParsePrefix(t)
	}
	return out
}

// Check returns an error that wraps ErrMeta when a URL's host is Meta's, by its name or by what it resolves to. A host
// that does not resolve is nobody's.
func Check(ctx context.Context, rawURL string) error {
	return check(ctx, rawURL, net.DefaultResolver.LookupNetIP)
}

// CheckName is Check for load that cannot leave this process: it goes by the host's name or literal address alone, and
// looks nothing up. In virtual time nothing may be: the resolver's own channels outlive a bubble, and the next one dies of it.
func CheckName(ctx context.Context, rawURL string) error { return check(ctx, rawURL, nil) }

func check(ctx context.Context, rawURL string, lookup func(ctx context.Context, network, host string) ([]netip.Addr, error)) error {
	u, err := url.Parse(rawURL)
	if err != nil {
		return fmt.Errorf("%q is not a URL: %w", rawURL, err)
	}
	host := strings.TrimSuffix(strings.ToLower(u.Hostname()), ".")
	if host == "" {
		return nil
	}
	for _, d := range domains {
		if host == d || strings.HasSuffix(host, "."+d) {
			return fmt.Errorf("%s: %w", host, ErrMeta)
		}
	}
	if ip, err := netip.ParseAddr(host); err == nil {
		return checkAddr(host, ip)
	}
	for _, nobodys := range []string{".test", ".invalid", ".localhost"} { // RFC 6761: they never resolve
		if strings.HasSuffix(host, nobodys) {
			return nil
		}
	}
	if lookup == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	ips, err := lookup(ctx, "ip", host)
	if err != nil {
		return nil
	}
	for _, ip := range ips {
		if err := checkAddr(host, ip); err != nil {
			return err
		}
	}
	return nil
}

func checkAddr(host string, ip netip.Addr) error {
	ip = ip.Unmap().WithZone("")
	if slices.ContainsFunc(networks, func(p netip.Prefix) bool { return p.Contains(ip) }) {
		return fmt.Errorf("%s is %s: %w", host, ip, ErrMeta)
	}
	return nil
}
