/** What smartctl's JSON has in the same place for disks of all kinds. Pure. */
import { countAt, fieldAt, wordAt } from "#disks/smart/json-fields.ts";
import { maxSmartWordLength, type SmartFacts } from "#model/smart-facts.ts";

export type CommonFacts = Pick<
  SmartFacts,
  "model" | "serial" | "firmware" | "powerOnHours" | "temperatureCelsius"
>;

export function readCommonFacts(json: unknown): CommonFacts {
  const word = (...names: readonly string[]) => wordAt(json, names, maxSmartWordLength);
  return {
    model: word("model_name") ?? word("scsi_model_name"),
    serial: word("serial_number"),
    firmware: word("firmware_version") ?? word("scsi_revision"),
    powerOnHours: countAt(json, ["power_on_time", "hours"]),
    temperatureCelsius: celsius(fieldAt(json, "temperature", "current")),
  };
}

/** Sensors that are not there read 0, -273 or 255. */
function celsius(value: unknown): number | undefined {
  if (!Number.isSafeInteger(value)) return undefined;
  const degrees = value as number;
  return degrees > -60 && degrees < 150 && degrees !== 0 ? degrees : undefined;
}
