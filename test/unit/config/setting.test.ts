import { expect, test } from "vitest";
import { propertyName, setting, table, tableList, type ValuesOf } from "#config/setting.ts";
import { byteSize, duration, flag, path } from "#config/value-types.ts";

const says = "For tests.";
const section = table(says, {
  connect_timeout: setting(duration({ min: "1s", max: "1h" }), {
    default: "1s",
    applies: "now",
    says,
  }),
  max_size: setting(byteSize({ min: "1", max: "2" }), { default: 1, applies: "now", says }),
  is_on: setting(flag(), { default: true, applies: "now", says }),
  store_path: tableList({
    says,
    max: 2,
    applies: "now",
    textEntry: "directory",
    entries: { directory: setting(path(), { applies: "now", says }) },
  }),
});

test("a property has the name of its key, its unit, and a plural for lists of tables", () => {
  const names = Object.entries(section.entries).map(([key, entry]) => propertyName(key, entry));
  // The compiler infers the same names.
  const values: ValuesOf<typeof section.entries> = {
    connectTimeoutMs: 1,
    maxSizeBytes: 2,
    isOn: true,
    storePaths: [{ directory: "/" }],
  };
  expect(names).toEqual(Object.keys(values));
});

test("a setting without a default has to be given", () => {
  expect(setting(flag(), { applies: "now", says }).default).toBeUndefined();
  expect(setting(flag(), { default: false, applies: "now", says })).toMatchObject({
    default: false,
    secret: false,
  });
});
