// Meta's own whatsapp 0.0.5-Alpha, which speaks TLS on port 443 only and sends chunked bodies. It reads the
// certificates to trust (NODE_EXTRA_CA_CERTS) when Node starts, so each test runs it in a process of its own.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import test from "node:test";
import { appSecret, fake, number, options, picture } from "./fake.mjs";

async function sdk(f, script) {
  const child = spawn(process.execPath, ["--input-type=commonjs", "-e", `
    const WhatsApp = require("whatsapp").default ?? require("whatsapp");
    const wa = new WhatsApp(${number});
    const show = async (p) => { const r = await p; console.log(JSON.stringify({ status: r.statusCode(), body: await r.responseBodyToJSON() })); };
    (async () => { ${script}; process.exit(0); })().catch((e) => { console.error(e); process.exit(1); });`], {
    cwd: import.meta.dirname,
    stdio: ["ignore", "pipe", "inherit"],
    env: {
      ...process.env, NODE_ENV: "production", NODE_EXTRA_CA_CERTS: f.trust, WA_BASE_URL: "localhost", CLOUD_API_VERSION: "v16.0",
      CLOUD_API_ACCESS_TOKEN: "EAAacceptance", M4D_APP_ID: "1", M4D_APP_SECRET: appSecret, WA_BUSINESS_ACCOUNT_ID: "102290129340398",
      WEBHOOK_ENDPOINT: "hook", WEBHOOK_VERIFICATION_TOKEN: "t",
    },
  });
  let out = "";
  child.stdout.on("data", (d) => (out += d));
  const exit = await new Promise((ok) => child.on("close", ok));
  assert.equal(exit, 0, "the SDK failed");
  return out.trim().split("\n").map((line) => JSON.parse(line));
}

const start = (t, ...args) => fake(t, "--tls", "--listen", "localhost:443", ...args);

test("text", options, async (t) => {
  const f = await start(t);
  const [text, reply] = await sdk(f, `
    await show(wa.messages.text({ body: "hello", preview_url: true }, 16505551234));
    await show(wa.messages.text({ body: "again" }, 16505551234, "wamid.x"))`);
  assert.equal(text.status, 200);
  assert.match(text.body.messages[0].id, /^wamid\./);
  assert.deepEqual(text.body.contacts, [{ input: "16505551234", wa_id: "16505551234" }]);
  assert.equal(reply.status, 200);
  assert.equal((await f.summary()).accepted, 2);
  assert.equal(JSON.parse((await f.hook()).body).entry[0].changes[0].value.statuses[0].status, "sent");
});

// The SDK cannot upload: the file goes up by plain HTTPS, trusted as the SDK trusts it, and is sent by the SDK.
test("media and types", options, async (t) => {
  const f = await start(t);
  const [up, image, location, template] = await sdk(f, `
    const form = new FormData();
    form.set("messaging_product", "whatsapp");
    form.set("file", new Blob([Buffer.alloc(${picture.length}, 1)], { type: "image/jpeg" }), "a.jpg");
    const headers = { Authorization: "Bearer EAAacceptance" };
    const up = await (await fetch("https://localhost/v16.0/${number}/media", { method: "POST", body: form, headers })).json();
    const meta = await (await fetch("https://localhost/v16.0/" + up.id, { headers })).json();
    const bytes = Buffer.from(await (await fetch(meta.url, { headers })).arrayBuffer());
    console.log(JSON.stringify({ size: bytes.length, right: bytes.equals(Buffer.alloc(${picture.length}, 1)) }));
    await show(wa.messages.image({ id: up.id, caption: "look" }, 16505551234));
    await show(wa.messages.location({ latitude: 37.4, longitude: -122.1, name: "a", address: "b" }, 16505551234));
    await show(wa.messages.template({ name: "hello_world", language: { policy: "deterministic", code: "en_US" } }, 16505551234))`);
  assert.deepEqual(up, { size: picture.length, right: true });
  for (const r of [image, location, template]) assert.equal(r.status, 200);
  assert.equal(template.body.messages[0].message_status, "accepted");
});

test("errors", options, async (t) => {
  const f = await start(t);
  const [long, media] = await sdk(f, `
    await show(wa.messages.text({ body: "x".repeat(4097) }, 16505551234));
    await show(wa.messages.image({ id: "1" }, 16505551234))`);
  assert.equal(long.status, 400);
  assert.equal(long.body.error.message, "(#100) Param text['body'] must be at most 4096 characters long.");
  assert.match(media.body.error.message, /is not a valid whatsapp business account media attachment ID$/);
  await f.fault("f", "{kind: error, code: 2}");
  const [down] = await sdk(f, `await show(wa.messages.text({ body: "x" }, 16505551234))`);
  assert.equal(down.status, 503);
  assert.equal(down.body.error.is_transient, true);
});
