import { expect, test } from "vitest";
import { environmentVariable } from "#config/config-sources.ts";
import { configValue, schemaByKey, schemaKeys } from "#config/schema.ts";
import type { Setting } from "#config/setting.ts";
import { defaultConfig } from "../../support/config.ts";

/** Every setting with its dotted key, also those of listed tables. */
const settings: readonly (readonly [string, Setting])[] = schemaKeys.flatMap(({ key, entry }) =>
  entry.kind === "setting"
    ? [[key, entry] as const]
    : Object.entries(entry.entries).map(([name, each]) => [`${key}.${name}`, each] as const),
);

function keysWhere(isWrong: (setting: Setting, key: string) => boolean): readonly string[] {
  return settings.filter(([key, setting]) => isWrong(setting, key)).map(([key]) => key);
}

test("every default is within its own range", () => {
  const wrong = settings.flatMap(([key, { default: value, type }]) => {
    const reading = value === undefined ? { value } : type.read(value);
    return "problem" in reading ? [`${key}: ${reading.problem}`] : [];
  });
  expect(wrong).toEqual([]);
});

test("only settings of listed tables may lack a default", () => {
  expect(
    keysWhere((setting, key) => setting.default === undefined && schemaByKey.has(key)),
  ).toEqual([]);
});

test("keys are lower case words with underscores, and each is explained in one sentence", () => {
  expect(keysWhere((_, key) => !/^[a-z]+(\.[a-z]+(_[a-z]+)*)+$/.test(key))).toEqual([]);
  expect(keysWhere(({ says }) => !/^[A-Z][^\n]+\.$/.test(says))).toEqual([]);
});

test("no two settings share an environment variable", () => {
  const names = schemaKeys.map(({ key }) => environmentVariable(key));
  expect(names.filter((name, at) => names.indexOf(name) !== at)).toEqual([]);
});

test("every secret can also come from a file", () => {
  expect(keysWhere(({ secret }, key) => secret && !schemaByKey.has(`${key}_file`))).toEqual([]);
  expect(settings.filter(([, { secret }]) => secret).map(([key]) => key)).toEqual([
    "gateway.anti_leech.secret",
  ]);
});

test("no two settings stand for one key of FastDFS", () => {
  const names = settings.flatMap(([, { fastdfs }]) => fastdfs?.split(", ") ?? []);
  expect(names.filter((name, at) => names.indexOf(name) !== at)).toEqual([]);
  expect(
    names.filter((name) => !/^(tracker|storage|mod_fastdfs)\.conf [a-zA-Z_.]+$/.test(name)),
  ).toEqual([]);
});

test("FastDFS's words are translated to values that the setting allows", () => {
  const wrong = settings.flatMap(([key, { fastdfsValues, type }]) =>
    Object.values(fastdfsValues ?? {})
      .filter((value) => "problem" in type.read(value))
      .map(() => key),
  );
  expect(wrong).toEqual([]);
});

test("the settings of a cluster have FastDFS's own defaults where a storage is told them", () => {
  // PARAMETER_REQ (75); protocol §11.3, column "default".
  const { tracker } = defaultConfig();
  expect(tracker).toMatchObject({
    port: 22122,
    storeLookup: "round-robin",
    storeServer: "round-robin",
    storePath: "round-robin",
    downloadServer: "round-robin",
    reservedSpace: { kind: "bytes", bytes: 1024 ** 3 },
    checkActiveIntervalMs: 100_000,
    responseAddressSize: "auto",
    storageIdsFile: "",
    idTypeInFilename: "ip",
    trustStorageId: true,
    storageIpChangedAutoAdjust: true,
    syncFileMaxDelayMs: 86_400_000,
    syncFileMaxTimeMs: 300_000,
    storeSlaveFileUseLink: false,
    trunk: {
      enabled: false,
      slotMinSizeBytes: 256,
      slotMaxSizeBytes: 8 * 1024 ** 2,
      allocAlignmentSizeBytes: 0,
      fileSizeBytes: 64 * 1024 ** 2,
      freeSpaceMerge: false,
      deleteUnusedFiles: false,
      createFileAdvance: false,
      createFileTimeBase: { hour: 2, minute: 0 },
      createFileIntervalMs: 86_400_000,
      createFileSpaceThresholdBytes: 0,
      initCheckOccupying: false,
      initReloadFromBinlog: false,
      compressBinlogMinIntervalMs: 0,
      compressBinlogIntervalMs: 0,
      compressBinlogTimeBase: { hour: 3, minute: 0 },
      binlogMaxBackups: 0,
    },
  });
});

test("every key of the schema leads to a value of the configuration, and nothing else is there", () => {
  const config = defaultConfig();
  expect(schemaKeys.filter((key) => configValue(config, key) === undefined)).toEqual([]);
  const leaves = (value: object, path: readonly string[]): string[] =>
    Object.entries(value).flatMap(([name, each]) => {
      const own = [...path, name];
      const isTable = schemaKeys.some(
        ({ property }) =>
          property.length > own.length && own.every((part, at) => part === property[at]),
      );
      return isTable ? leaves(each as object, own) : [own.join(".")];
    });
  expect(leaves(config, []).sort()).toEqual(
    schemaKeys.map(({ property }) => property.join(".")).sort(),
  );
});
