/** Whatever smartctl prints is read, found asleep or refused, within limits and without an error. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { expect, test } from "vitest";
import { readShape } from "#base/schema.ts";
import { readRefusal, readSmartctl } from "#disks/smart/read-smartctl.ts";
import { smartFacts } from "#model/smart-facts.ts";

const folder = join(import.meta.dirname, "../vectors/smart");
const vectors = readdirSync(folder)
  .filter((name) => name.endsWith(".json"))
  .map((name) => readFileSync(join(folder, name), "utf8"));

const code = fc.option(fc.integer({ min: 0, max: 255 }), { nil: undefined });

function readsWithinLimits(end: { readonly code: number | undefined; readonly stdout: string }) {
  readRefusal(end);
  const reading = readSmartctl(end);
  if (reading.state === "refused") expect(reading.why.length).toBeLessThanOrEqual(300);
  // The shape has every limit of the facts.
  if (reading.state === "read") {
    readShape(smartFacts, reading.facts, { what: "facts", surplus: "refuse" });
  }
}

test("any text is refused or read", () => {
  const text = fc.oneof(
    fc.string(),
    fc.json(),
    fc.jsonValue().map((smartctl) => JSON.stringify({ smartctl })),
  );
  fc.assert(fc.property(code, text, (end, stdout) => readsWithinLimits({ code: end, stdout })));
});

test("a true answer with any of its values replaced is read within limits", () => {
  fc.assert(
    fc.property(
      fc.record({
        end: code,
        text: fc.constantFrom(...vectors),
        at: fc.nat(),
        value: fc.oneof(
          fc.jsonValue(),
          fc.constantFrom(-1, 2 ** 53, 1e300, "\u0000", "x".repeat(5000)),
        ),
      }),
      ({ end, text, at, value }) => {
        const json: unknown = JSON.parse(text);
        const places = placesOf(json);
        const place = places[at % places.length];
        if (place !== undefined) place.holder[place.name] = value;
        readsWithinLimits({ code: end, stdout: JSON.stringify(json) });
      },
    ),
    { numRuns: 500 },
  );
});

test("a true answer that was cut off is nonsense", () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...vectors),
      fc.double({ min: 0, max: 0.99, noNaN: true }),
      (text, part) => {
        const stdout = text.slice(0, Math.floor(text.length * part));
        expect(readSmartctl({ code: 0, stdout })).toMatchObject({ cause: "nonsense" });
      },
    ),
  );
});

test("tables without end are cut", () => {
  const row = { id: 5, name: "x", raw: { value: 1, string: "1" } };
  const stdout = JSON.stringify({
    smartctl: {},
    device: { protocol: "ATA" },
    smart_status: { passed: true },
    ata_smart_attributes: { table: new Array(1000).fill(row) },
    ata_smart_self_test_log: { standard: { table: new Array(1000).fill({}) } },
  });
  readsWithinLimits({ code: 0, stdout });
});

interface Place {
  readonly holder: Record<string, unknown>;
  readonly name: string;
}

function placesOf(value: unknown): Place[] {
  if (typeof value !== "object" || value === null) return [];
  const holder = value as Record<string, unknown>;
  return Object.keys(holder).flatMap((name) => [{ holder, name }, ...placesOf(holder[name])]);
}
