/** Which trackers are asked. */
import { expect, test } from "vitest";
import { chooseTrackers, trackersOf } from "#cli/trackers.ts";
import { defaultConfig } from "../../support/config.ts";

const none = { options: [], variable: undefined, config: () => undefined };
const here = [{ address: "127.0.0.1", port: 22122 }];

test("options win over the environment, that over the settings, those over this machine", () => {
  const config = () =>
    defaultConfig({ storage: { trackers: [{ addresses: ["10.0.0.3", "10.0.0.4"], port: 1 }] } });
  const variable = "10.0.0.2:5, [::1]:6";
  expect(chooseTrackers({ options: ["10.0.0.1"], variable, config })).toEqual([
    { address: "10.0.0.1", port: 22122 },
  ]);
  expect(chooseTrackers({ ...none, variable, config })).toEqual([
    { address: "10.0.0.2", port: 5 },
    { address: "::1", port: 6 },
  ]);
  expect(chooseTrackers({ ...none, config })).toEqual([
    { address: "10.0.0.3", port: 1 },
    { address: "10.0.0.4", port: 1 },
  ]);
  expect(chooseTrackers(none)).toEqual(here);
});

test("a node's own tracker is found where it listens", () => {
  expect(trackersOf(defaultConfig())).toEqual(here);
  const bound = defaultConfig({ node: { bind: ["10.0.0.9"] }, tracker: { port: 7 } });
  expect(trackersOf(bound)).toEqual([{ address: "10.0.0.9", port: 7 }]);
  expect(trackersOf(defaultConfig({ node: { bind: ["::"] } }))).toEqual([
    { address: "::1", port: 22122 },
  ]);
});

test.each([
  "",
  "a b",
  "10.0.0.1:0",
  "10.0.0.1:99999",
  "http://x",
  "a,b:1",
])("%j is no address", (text) => {
  expect(() => chooseTrackers({ ...none, options: [text] })).toThrow("--tracker");
});
