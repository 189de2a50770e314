/** The gateway through its port: routes, failures, limits of HTTP, health, metrics, stopping. */
import { afterEach, expect, test } from "vitest";
import { fileStoreError } from "#filestore/errors.ts";
import {
  type FixtureOptions,
  type GatewayFixture,
  sendRaw,
  startGateway,
} from "../../support/gateway-fixture.ts";

const started: GatewayFixture[] = [];

async function start(options?: FixtureOptions): Promise<GatewayFixture> {
  const fixture = await startGateway(options);
  started.push(fixture);
  return fixture;
}

afterEach(async () => {
  await Promise.all(started.splice(0).map((fixture) => fixture.stop()));
});

test("a file comes back as it was put, with its headers", async () => {
  const gateway = await start();
  const name = await gateway.store.put("hello", "txt");
  const reply = await gateway.send({ path: `/group1/${name}` });
  expect(reply.text).toBe("hello");
  expect(reply.status).toBe(200);
  expect(reply.headers).toMatchObject({
    "content-type": "text/plain",
    "content-length": "5",
    "accept-ranges": "bytes",
    "x-content-type-options": "nosniff",
    etag: expect.stringMatching(/^"5-[0-9a-f]+-3610a686"$/),
    "last-modified": expect.stringMatching(/GMT$/),
  });
});
