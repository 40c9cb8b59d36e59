// @great-detail/whatsapp 9.2.0, which sends no version
import assert from "node:assert/strict";
import test from "node:test";
import Client from "@great-detail/whatsapp";
import { appSecret, fake, number, options, picture } from "./fake.mjs";

const auth = { headers: { Authorization: "Bearer EAAacceptance" } };
const client = (f, request = auth) => new Client({ baseUrl: f.graph, request: { ...request, retry: 0 } });
const refused = async (promise) => {
  try {
    await promise;
  } catch (e) {
    return { status: e.response.status, ...(e.data ?? (await e.response.json())).error };
  }
  assert.fail("it was not refused");
};

test("text and its statuses", options, async (t) => {
  const f = await fake(t);
  const c = client(f);
  const sent = await c.message.createMessage({ phoneNumberID: number, to: "16505551234", type: "text", text: { body: "hello" } }).json();
  assert.match(sent.messages[0].id, /^wamid\./);
  for (const status of ["sent", "delivered"]) {
    const h = await f.hook();
    const e = await c.webhook.eventNotification({ method: h.method, headers: h.headers, body: h.body, query: {} });
    await e.verifySignature(appSecret);
    assert.equal(e.eventNotification.entry[0].changes[0].value.statuses[0].status, status);
  }
});

test("number, accounts, subscriptions", options, async (t) => {
  const c = client(await fake(t));
  const n = await c.phoneNumbers.getPhoneNumber({ phoneNumberID: number, fields: ["verified_name", "quality_rating"] }).json();
  assert.deepEqual(n, { verified_name: "aftershock", quality_rating: "GREEN", id: number });
  assert.equal((await c.phoneNumbers.listPhoneNumbers({ businessAccountID: "102290129340398" }).json()).data.length, 1);
  assert.equal((await c.subscribedApps.listSubscriptions({ businessAccountID: "102290129340398" }).json()).data.length, 1);
});

test("media round trip", options, async (t) => {
  const f = await fake(t);
  const c = client(f);
  const up = await c.media.upload({ phoneNumberID: number, mimeType: "image/jpeg", filename: "a.jpg", file: new Blob([picture], { type: "image/jpeg" }) }).json();
  const meta = await c.media.getURL({ mediaID: up.id, phoneNumberID: number }).json();
  assert.equal(meta.file_size, picture.length);
  const bytes = await c.media.download({ mediaURL: meta.url, request: auth }).arrayBuffer();
  assert.ok(Buffer.from(bytes).equals(picture));
  await c.message.createMessage({ phoneNumberID: number, to: "16505551234", type: "image", image: { id: up.id } }).json();
  assert.deepEqual(await c.media.delete({ mediaID: up.id }).json(), { success: true });
  const gone = await refused(c.media.getURL({ mediaID: up.id }));
  assert.equal(gone.code, 100);
  assert.equal(gone.error_subcode, 33);
});

test("errors", options, async (t) => {
  const f = await fake(t);
  const c = client(f);
  const send = (text) => c.message.createMessage({ phoneNumberID: number, to: "16505551234", type: "text", text });
  assert.equal((await refused(send({ body: "x".repeat(4097) }))).message, "(#100) Param text['body'] must be at most 4096 characters long.");
  assert.equal((await refused(client(f, {}).message.createMessage({ phoneNumberID: number, to: "16505551234", type: "text", text: { body: "x" } }))).code, 104);
  await f.fault("f", "{kind: error, code: 131000}");
  const e = await refused(send({ body: "x" }));
  assert.equal(e.code, 131000);
  assert.equal(e.status, 500);
});
