/**
 * The gateway behind Debian's nginx, as an upstream, and with nginx serving the bytes itself.
 *
 * Goal: what the examples in `src/gateway/examples` promise holds. Method: nginx runs with exactly these files; the upstream is
 * a gateway over a store in memory; for bytes that nginx reads from disk it is a whole node with a real store path.
 */
import { chmodSync } from "node:fs";
import { join } from "node:path";
import { expect } from "vitest";
import { send } from "../../support/gateway-fixture.ts";
import { gateways } from "../../support/gateways.ts";
import { LiveNode } from "../../support/live-node.ts";
import { needs, program } from "../../support/needs.ts";
import { exerciseProxy } from "../../support/proxied-gateway.ts";
import { startNginx } from "../../support/web-servers.ts";

const start = gateways();
const withNginx = needs(program("nginx", { apt: "nginx-light" }));
const limitMs = 60_000;

withNginx(
  "files, uploads and refusals pass through nginx as they are",
  async () => {
    const gateway = await start();
    await using nginx = await startNginx("nginx-upstream.conf", { gatewayPort: gateway.port });
    await exerciseProxy(nginx.port, gateway);
  },
  limitMs,
);

withNginx(
  "nginx serves the bytes from the store path by itself",
  async () => {
    await using node = await LiveNode.start(() => ["gateway.accel_redirect_prefix=/_cairn_store"]);
    // nginx's workers run as another user.
    chmodSync(node.folder, 0o755);
    const gatewayPort = node.process.ports.gateway;
    const storePath = join(node.folder, "store0");
    await using nginx = await startNginx("nginx-accel.conf", { gatewayPort, storePath });
    const { port } = nginx;
    const content = Buffer.alloc(20 * 1024 * 1024, "0123456789abcdef-");
    const made = await send(port, undefined, {
      path: "/upload/a.html",
      method: "PUT",
      body: content,
    });
    const { file_id: id } = made.json();
    expect(made.status).toBe(201);
    const direct = await send(gatewayPort, undefined, { path: `/${id}` });
    expect([direct.text, direct.headers["x-accel-redirect"]]).toEqual([
      "",
      `/_cairn_store0/data/${String(id).slice("group1/M00/".length)}`,
    ]);
    const whole = await send(port, undefined, { path: `/${id}?filename=b.html` });
    expect(whole.body.equals(content)).toBe(true);
    expect(whole.headers).toMatchObject({
      "content-type": "text/html",
      "content-disposition": 'attachment; filename="b.html"',
      "x-content-type-options": "nosniff",
      "content-security-policy": "sandbox",
      "accept-ranges": "bytes",
    });
    expect(whole.headers["x-accel-redirect"]).toBeUndefined();
    const range = await send(port, undefined, { path: `/${id}`, headers: { range: "bytes=5-9" } });
    expect([range.status, range.text]).toEqual([206, "56789"]);
    const two = { range: "bytes=0-1,5-9" };
    expect((await send(port, undefined, { path: `/${id}`, headers: two })).status).toBe(206);
    const known = { "if-none-match": whole.headers.etag ?? "" };
    expect((await send(port, undefined, { path: `/${id}`, headers: known })).status).toBe(304);
    const head = await send(port, undefined, { path: `/${id}`, method: "HEAD" });
    expect([head.status, head.headers["content-length"]]).toEqual([200, String(content.length)]);
    const inside = await send(port, undefined, {
      path: direct.headers["x-accel-redirect"] as string,
    });
    expect(inside.status).toBe(404);
    expect((await send(port, undefined, { path: `/${id}`, method: "DELETE" })).status).toBe(204);
    const gone = await send(port, undefined, { path: `/${id}` });
    expect([gone.status, gone.json()]).toMatchObject([404, { error: { code: "not-found" } }]);
  },
  limitMs,
);
