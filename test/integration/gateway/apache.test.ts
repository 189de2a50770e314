/**
 * The gateway behind Debian's Apache.
 *
 * Goal: what the example in `src/gateway/examples` promises holds. Method: Apache runs with exactly this file in front of a
 * gateway over a store in memory.
 */
import { gateways } from "../../support/gateways.ts";
import { needs, program } from "../../support/needs.ts";
import { exerciseProxy } from "../../support/proxied-gateway.ts";
import { startApache } from "../../support/web-servers.ts";

const start = gateways();
const withApache = needs(program("apache2", { apt: "apache2" }));

withApache(
  "files, uploads and refusals pass through Apache as they are",
  async () => {
    const gateway = await start();
    await using apache = await startApache({ gatewayPort: gateway.port });
    await exerciseProxy(apache.port, gateway);
  },
  60_000,
);
