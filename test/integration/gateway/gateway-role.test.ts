/** The role as the daemon sees it: starting, logging, stopping. */
import { createServer } from "node:net";
import { expect, test } from "vitest";
import { Log } from "#base/log.ts";
import { MetricRegistry } from "#base/metrics.ts";
import { GatewayRole } from "#gateway/gateway-role.ts";
import { LocalFileSource } from "#gateway/local-file-source.ts";
import type { HttpExchangeRecord } from "#net/http-message.ts";
import { nodeClock } from "#platform/node/node-clock.ts";
import { gatewayDefaults, group } from "../../support/gateway-fixture.ts";
import { gateways } from "../../support/gateways.ts";
import { MemoryFileStore } from "../../support/memory-file-store.ts";
import { seededRandom } from "../../support/seeded-random.ts";
import { until } from "../../support/settled.ts";

const start = gateways();

function role(port: number): GatewayRole {
  return new GatewayRole(
    { ...gatewayDefaults, port },
    {
      clock: nodeClock,
      random: seededRandom(1),
      log: new Log("gateway", () => {}),
      files: new LocalFileSource(new MemoryFileStore(), group),
      metrics: new MetricRegistry(),
      readiness: () => [],
    },
  );
}

test("each exchange is logged without its query, which may hold a token", async () => {
  const records: HttpExchangeRecord[] = [];
  const gateway = await start({ parts: { accessLog: (record) => records.push(record) } });
  const path = `/group1/${await gateway.store.put("hello")}`;
  await gateway.send({ path: `${path}?token=secret&ts=1` });
  await until(() => records.length === 1, "the record");
  expect(records).toMatchObject([
    { method: "GET", target: path, status: 200, sentBytes: 5, remoteAddress: "127.0.0.1" },
  ]);
  expect(gateway.logged).toMatchObject([
    { level: "debug", event: "exchange", data: { path, status: 200, complete: true } },
  ]);
});

test("nothing is logged above debug for what clients do wrong", async () => {
  const gateway = await start();
  for (const path of ["/nothing", "/group1/M00/00/00/%00", "/upload"]) await gateway.send({ path });
  expect(new Set(gateway.logged.map(({ level }) => level))).toEqual(new Set(["debug"]));
});

test("a port that is taken is told", async () => {
  const other = createServer();
  await new Promise<void>((resolve) => other.listen(0, "127.0.0.1", resolve));
  const { port } = other.address() as { port: number };
  await expect(role(port).start(new AbortController().signal)).rejects.toThrow("EADDRINUSE");
  other.close();
});

test("a start that is no longer wanted does not happen", async () => {
  const signal = AbortSignal.abort(new Error("not wanted"));
  await expect(role(0).start(signal)).rejects.toThrow("not wanted");
});

test("a role that was stopped starts again", async () => {
  const one = role(0);
  const signal = new AbortController().signal;
  for (let round = 0; round < 2; round += 1) {
    const running = await one.start(signal);
    const reply = await fetch(`http://127.0.0.1:${running.port}/healthz`);
    expect(await reply.text()).toBe("ok\n");
    await running.stop(1000);
    await expect(fetch(`http://127.0.0.1:${running.port}/healthz`)).rejects.toThrow();
  }
});

test("stopping waits for an upload under way", async () => {
  const gateway = await start();
  let finish: () => void = () => {};
  const body = new ReadableStream<Uint8Array>({
    start: (controller) => {
      controller.enqueue(Buffer.from("first "));
      finish = () => {
        controller.enqueue(Buffer.from("last"));
        controller.close();
      };
    },
  });
  const url = `http://127.0.0.1:${gateway.port}/upload`;
  const reply = fetch(url, { method: "POST", body, duplex: "half" } as RequestInit);
  await until(() => gateway.store.calls.upload === 1, "the upload's begin");
  const stopped = gateway.running.stop(5000);
  finish();
  expect((await reply).status).toBe(201);
  await stopped;
  expect([...gateway.store.files.values()][0]?.content.toString()).toBe("first last");
});
