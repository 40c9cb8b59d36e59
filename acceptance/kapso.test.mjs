// @kapso/whatsapp-cloud-api 0.3.0
import assert from "node:assert/strict";
import test from "node:test";
import { WhatsAppClient } from "@kapso/whatsapp-cloud-api";
import { verifySignature } from "@kapso/whatsapp-cloud-api/server";
import { appSecret, fake, number, options, picture } from "./fake.mjs";

const client = (f, accessToken = "EAAacceptance") => new WhatsAppClient({ accessToken, baseUrl: f.graph, graphVersion: "v24.0" });

test("text and its statuses", options, async (t) => {
  const f = await fake(t);
  const sent = await client(f).messages.sendText({ phoneNumberId: number, to: "+16505551234", body: "hello" });
  assert.match(sent.messages[0].id, /^wamid\./);
  assert.equal(sent.contacts[0].waId, "16505551234");
  for (const status of ["sent", "delivered"]) {
    const h = await f.hook();
    assert.ok(verifySignature({ appSecret, rawBody: h.body, signatureHeader: h.headers["x-hub-signature-256"] }));
    const s = JSON.parse(h.body).entry[0].changes[0].value.statuses[0];
    assert.equal(s.status, status);
    assert.equal(s.id, sent.messages[0].id);
  }
});

test("buttons and template", options, async (t) => {
  const f = await fake(t);
  const c = client(f);
  await c.messages.sendInteractiveButtons({ phoneNumberId: number, to: "16505551234", bodyText: "Sure?", buttons: [{ id: "y", title: "Yes" }, { id: "n", title: "No" }] });
  const sent = await c.messages.sendTemplate({ phoneNumberId: number, to: "16505551234", template: { name: "hello_world", language: { code: "en_US" } } });
  assert.equal(sent.messages[0].messageStatus ?? sent.messages[0].message_status, "accepted");
});

// The client fetches media without a token on purpose; Meta's page says that this fails, so it is a setting.
test("media round trip", options, async (t) => {
  const f = await fake(t, "--set", "media.download=optional");
  const c = client(f);
  const up = await c.media.upload({ phoneNumberId: number, type: "image", file: new Blob([picture], { type: "image/jpeg" }), fileName: "a.jpg" });
  assert.match(up.id, /^\d+$/);
  const meta = await c.media.get({ mediaId: up.id, phoneNumberId: number });
  assert.equal(meta.mimeType, "image/jpeg");
  assert.equal(Number(meta.fileSize), picture.length);
  const bytes = await c.media.download({ mediaId: up.id, phoneNumberId: number });
  assert.ok(Buffer.from(bytes).equals(picture));
  await c.messages.sendImage({ phoneNumberId: number, to: "16505551234", image: { id: up.id, caption: "look" } });
  assert.equal((await c.media.delete({ mediaId: up.id, phoneNumberId: number })).success, true);
  await assert.rejects(c.media.get({ mediaId: up.id }), (e) => e.code === 100 && e.errorSubcode === 33 && e.httpStatus === 400);
});

test("errors", options, async (t) => {
  const f = await fake(t);
  const c = client(f);
  const send = () => c.messages.sendText({ phoneNumberId: number, to: "16505551234", body: "x" });
  await assert.rejects(client(f, "EAA<x>").messages.sendText({ phoneNumberId: number, to: "16505551234", body: "x" }), (e) => e.code === 190 && e.category === "authorization");
  await f.fault("f", "{kind: error, code: 130429}");
  await assert.rejects(send(), (e) => e.code === 130429 && e.category === "throttling" && e.details === "Cloud API message throughput has been reached.");
  await f.fault("f", "{kind: error, code: 131047}");
  await assert.rejects(send(), (e) => e.code === 131047 && e.category === "reengagementWindow");
});
