package part

import (
	"errors"
	"fmt"
	"net"
	"syscall"
	"time"

	"github.com/vishvananda/netlink" // the kernel's own language, which would be ours to encode otherwise
)

// held is how many packets may wait at once. The kernel's own bound, 1,000, would lose some of a busy sender's.
const held = 100_000

// delayLinks has the kernel hold back what every interface but loopback sends; 0 ends that.
func delayLinks(by time.Duration) error {
	links, err := netlink.LinkList()
	if err != nil {
		return fmt.Errorf("list the network's interfaces: %w", err)
	}
	for _, l := range links {
		if l.Attrs().Flags&net.FlagLoopback != 0 || l.Attrs().Flags&net.FlagUp == 0 {
			continue
		}
		q := netlink.NewNetem(
			netlink.QdiscAttrs{LinkIndex: l.Attrs().Index, Handle: netlink.MakeHandle(1, 0), Parent: netlink.HANDLE_ROOT},
			netlink.NetemQdiscAttrs{Latency: uint32(by.Microseconds()), Limit: held},
		)
		if by > 0 {
			err = netlink.QdiscReplace(q)
		} else if err = netlink.QdiscDel(q); errors.Is(err, syscall.ENOENT) || errors.Is(err, syscall.EINVAL) {
			err = nil // there is none: the interface is a new one
		}
		if errors.Is(err, syscall.ENOENT) {
			return fmt.Errorf("delay %s: this machine's kernel has no netem (CONFIG_NET_SCH_NETEM, module sch_netem)", l.Attrs().Name)
		}
		if err != nil {
			return fmt.Errorf("delay %s: %w", l.Attrs().Name, err)
		}
	}
	return nil
}
