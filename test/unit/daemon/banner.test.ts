/** What a person sees when the node is up. */
import { expect, test } from "vitest";
import { type BannerFacts, formatBanner } from "#daemon/banner.ts";

const whole: BannerFacts = {
  version: "1.2.3",
  address: "10.0.0.1",
  dataDirectory: "/data",
  durability: "flushed",
  tracker: 22122,
  storage: 23000,
  gateway: 8080,
  uploads: true,
};

test("a whole node says what to open, and one upload to try", () => {
  const text = formatBanner(whole);
  expect(text).toMatch(/^Cairn 1\.2\.3 is ready\. Data: \/data\n/);
  expect(text).toContain("http://10.0.0.1:8080/\n");
  expect(text).toContain("10.0.0.1:22122\n");
  expect(text).toContain("10.0.0.1:23000\n");
  expect(text).toContain("curl -F file=@README.md http://10.0.0.1:8080/upload\n");
  expect(text).not.toContain("power cut");
});

test("roles that are off are not named, and no upload where none is taken", () => {
  const tracker = formatBanner({ ...whole, storage: undefined, gateway: undefined });
  expect(tracker).not.toMatch(/http|curl|storage/);
  expect(formatBanner({ ...whole, uploads: false })).not.toContain("curl");
});

test("relaxed durability is said aloud", () => {
  expect(formatBanner({ ...whole, durability: "relaxed" })).toContain("a power cut loses");
});
