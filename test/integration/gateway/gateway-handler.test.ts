/** Which path does what, who may come in, and how failures look. */
import { expect, test } from "vitest";
import type { Reply } from "../../support/gateway-fixture.ts";
import { gateways } from "../../support/gateways.ts";
import { parseOpenMetrics } from "../../support/open-metrics.ts";

const start = gateways();

function codeOf(reply: Reply): unknown {
  return (reply.json().error as { code: string } | undefined)?.code;
}

test("the root is a page with a form", async () => {
  const gateway = await start();
  const reply = await gateway.send({ path: "/" });
  expect([reply.status, reply.headers["content-type"]]).toEqual([200, "text/html; charset=utf-8"]);
  expect(reply.text).toContain('<form method="post" action="/upload"');
});

test("alive is said without asking anybody", async () => {
  const gateway = await start({
    parts: {
      readiness: () => {
        throw new Error("not asked");
      },
    },
  });
  const reply = await gateway.send({ path: "/healthz" });
  expect([reply.status, reply.text]).toEqual([200, "ok\n"]);
});

test("readiness is told with its reasons", async () => {
  const reasons: string[] = [];
  const gateway = await start({ parts: { readiness: () => reasons } });
  const ready = await gateway.send({ path: "/readyz" });
  expect([ready.status, ready.json()]).toEqual([200, { ready: true, reasons: [] }]);
  reasons.push("store path 0 is offline");
  const unready = await gateway.send({ path: "/readyz" });
  expect([unready.status, unready.json()]).toEqual([503, { ready: false, reasons }]);
});

test("metrics are OpenMetrics, or what the scraper knows", async () => {
  const gateway = await start();
  await gateway.send({ path: `/group1/${await gateway.store.put("hello")}` });
  await gateway.send({ path: "/nothing" });
  const open = await gateway.send({ path: "/metrics" });
  expect(open.headers["content-type"]).toBe(
    "application/openmetrics-text; version=1.0.0; charset=utf-8",
  );
  const families = parseOpenMetrics(open.text);
  expect(
    families.get("gateway_requests")?.samples.map(({ labels, value }) => [labels, value]),
  ).toEqual([
    [{ method: "GET", status: "2xx" }, 1],
    [{ method: "GET", status: "4xx" }, 1],
  ]);
  expect(families.get("gateway_connections")?.samples[0]?.value).toBe(1);
  const plain = await gateway.send({ path: "/metrics", headers: { accept: "text/plain" } });
  expect(plain.headers["content-type"]).toBe("text/plain; version=0.0.4; charset=utf-8");
  expect(plain.text).toContain("# TYPE gateway_requests_total counter\n");
});

test("wrong methods are told which there are", async () => {
  const gateway = await start();
  const wrong = await gateway.send({ path: "/healthz", method: "DELETE" });
  expect([wrong.status, codeOf(wrong), wrong.headers.allow]).toEqual([
    405,
    "method-not-allowed",
    "GET, HEAD, OPTIONS",
  ]);
  const asked = await gateway.send({ path: "/upload", method: "OPTIONS" });
  expect([asked.status, asked.headers.allow]).toEqual([204, "POST, PUT, OPTIONS"]);
  expect((await gateway.send({ path: "/group1/x", method: "PATCH" })).status).toBe(405);
});

test("a group may be called upload", async () => {
  const gateway = await start();
  const name = await gateway.store.put("x");
  expect((await gateway.send({ path: `/upload/${name}` })).status).toBe(404);
  expect((await gateway.send({ path: `/upload/${name}`, method: "DELETE" })).status).toBe(404);
});

test("addresses that are not admitted get nothing at all", async () => {
  const gateway = await start({ parts: { admits: (address) => address !== "127.0.0.1" } });
  const paths = ["/", "/healthz", "/metrics", `/group1/${await gateway.store.put("x")}`];
  for (const path of paths) {
    const reply = await gateway.send({ path });
    expect([reply.status, codeOf(reply)]).toEqual([403, "address-refused"]);
  }
});

test("pages of other sites cannot make a browser change anything", async () => {
  const gateway = await start();
  const path = `/group1/${await gateway.store.put("x")}`;
  const headers = { "sec-fetch-site": "cross-site" };
  const replies = [
    await gateway.send({ path: "/upload", method: "POST", headers, body: "x" }),
    await gateway.send({ path, method: "DELETE", headers }),
  ];
  expect(replies.map((reply) => [reply.status, codeOf(reply)])).toEqual(
    Array(2).fill([403, "cross-site-refused"]),
  );
  expect((await gateway.send({ path, headers })).status).toBe(200);
  const own = { "sec-fetch-site": "same-origin" };
  expect((await gateway.send({ path, method: "DELETE", headers: own })).status).toBe(204);
});

test("an absolute target is a path, too", async () => {
  const gateway = await start();
  expect((await gateway.send({ path: "http://elsewhere/healthz" })).status).toBe(200);
});

test("targets without bounds are refused", async () => {
  const gateway = await start();
  expect((await gateway.send({ path: `/?${"a".repeat(4200)}` })).status).toBe(414);
  expect((await gateway.send({ path: `/?${"a=1&".repeat(40)}` })).status).toBe(400);
});
