// Starts the command that $AFTERSHOCK names, with a callback of ours, and waits until it says where it listens.
import { spawn } from "node:child_process";
import { once } from "node:events";
import http from "node:http";
import readline from "node:readline";

export const number = "106540352242922";
export const appSecret = "acceptance-app-secret";

export async function fake(t, ...args) {
  const command = process.env.AFTERSHOCK;
  if (!command) throw new Error("AFTERSHOCK does not name the command: run acceptance/run.sh");
  const hooks = [];
  let wake = () => {};
  const callback = http.createServer((req, res) => {
    const parts = [];
    req.on("data", (d) => parts.push(d));
    req.on("end", () => {
      hooks.push({ body: Buffer.concat(parts).toString(), headers: req.headers, method: req.method });
      res.end();
      wake();
    });
  });
  await new Promise((ok) => callback.listen(0, "127.0.0.1", ok));
  const child = spawn(command, ["fakewa", "--listen", "127.0.0.1:0", "--control", "127.0.0.1:0",
    "--webhook", `http://127.0.0.1:${callback.address().port}/hook`, "--app-secret", appSecret,
    "--set", "latency=5ms", "--set", "media.latency=5ms", "--set", "statuses={sent: 10ms, delivered: 1s}", ...args],
    { stdio: ["ignore", "pipe", "inherit"] });
  t.after(async () => {
    child.kill("SIGINT");
    if (child.exitCode === null) await once(child, "exit");
    callback.closeAllConnections();
    callback.close();
  });
  const where = {};
  for await (const line of readline.createInterface({ input: child.stdout })) {
    const m = line.match(/^ {2}(Graph API|control|trust) +(\S+)$/);
    if (m) where[m[1]] = m[2];
    if (line.startsWith("curl") && where["Graph API"]) break;
  }
  child.stdout.resume();
  if (!where["Graph API"]) throw new Error("the fake did not say where it listens");
  return {
    graph: where["Graph API"],
    control: where.control,
    trust: where.trust,
    async hook() {
      while (hooks.length === 0) await new Promise((ok) => (wake = ok));
      return hooks.shift();
    },
    async fault(id, fault) {
      const res = await fetch(`${where.control}/faults/${id}`, { method: "PUT", body: fault });
      if (!res.ok) throw new Error(await res.text());
    },
    async summary() {
      return (await fetch(`${where.control}/ledger/summary`)).json();
    },
  };
}

// deadline fails a test instead of letting it hang.
export const options = { timeout: 60_000 };

// picture is something to upload.
export const picture = Buffer.alloc(12_000, "\xff\xd8\x00\x01", "latin1");
