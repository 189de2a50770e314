import { expect, test } from "vitest";
import { isSignedBy } from "#base/ed25519.ts";
import { openIdentity, parseIdentity, readIdentity } from "#daemon/node-identity.ts";
import { ScriptedHost } from "../../support/scripted-host.ts";
import { seededRandom } from "../../support/seeded-random.ts";

test("a node makes its key once, and is the same after each start", () => {
  const host = new ScriptedHost();
  expect(readIdentity(host, "/data")).toBe(undefined);
  const first = openIdentity(host, seededRandom(1), "/data");
  const again = openIdentity(host, seededRandom(2), "/data");
  expect([first.isNew, again.isNew]).toEqual([true, false]);
  expect(again.identity.id).toBe(first.identity.id);
  const bytes = Buffer.from("words");
  const signature = again.identity.signer.sign(bytes);
  expect(isSignedBy(first.identity.signer.publicKey, bytes, signature)).toBe(true);
  const other = openIdentity(new ScriptedHost(), seededRandom(3), "/data");
  expect(other.identity.id).not.toBe(first.identity.id);
});

test("a damaged key is never replaced by another one", () => {
  const host = new ScriptedHost();
  openIdentity(host, seededRandom(1), "/data");
  const [[path = "", text = ""] = []] = [...host.files];
  const { seed } = JSON.parse(text);
  for (const damaged of ["", "{}", text.slice(0, 60), text.replace(seed, "0".repeat(64))]) {
    host.files.set(path, damaged);
    expect(parseIdentity(damaged)).toBe(undefined);
    expect(() => openIdentity(host, seededRandom(2), "/data")).toThrow("put it back from a copy");
    expect(host.files.get(path)).toBe(damaged);
  }
});
