/** Gateways that a test file starts, and that stop after each of its tests. */
import { afterEach } from "vitest";
import { type FixtureOptions, type GatewayFixture, startGateway } from "./gateway-fixture.ts";

/** A starter of gateways; to be called once, at the top of a test file. */
export function gateways(): (options?: FixtureOptions) => Promise<GatewayFixture> {
  const started: GatewayFixture[] = [];
  afterEach(async () => {
    await Promise.all(started.splice(0).map((fixture) => fixture.stop()));
  });
  return async (options) => {
    const fixture = await startGateway(options);
    started.push(fixture);
    return fixture;
  };
}
