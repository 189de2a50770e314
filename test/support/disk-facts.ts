/** A disk for tests, with what they do not care about filled in. */
import type { DiskFacts, MountFacts, PartitionFacts, SignatureFacts } from "#model/disk-facts.ts";

export function diskFacts(fields: Partial<DiskFacts> = {}): DiskFacts {
  return {
    name: "sda",
    sequence: 7,
    bus: "sata",
    port: "pci-0000:00:1f.2-ata-3",
    bridge: undefined,
    vendor: undefined,
    model: "WDC WD40EFRX",
    serial: "WD-1",
    wwn: undefined,
    sizeBytes: 4_000_787_030_016,
    logicalSectorBytes: 512,
    physicalSectorBytes: 4096,
    rotational: true,
    removable: false,
    readOnly: false,
    temperatureCelsius: undefined,
    spinning: undefined,
    signatures: [],
    partitions: [],
    mounts: [],
    ofSystem: false,
    problems: [],
    ...fields,
  };
}

export function mountFacts(fields: Partial<MountFacts> = {}): MountFacts {
  const space = { totalBytes: 2 ** 42, freeBytes: 2 ** 41 };
  return { point: "/srv/a", type: "ext4", readOnly: false, ...space, ...fields };
}

export function signatureFacts(fields: Partial<SignatureFacts> = {}): SignatureFacts {
  return { type: "ext4", usage: "filesystem", label: undefined, uuid: undefined, ...fields };
}

export function partitionFacts(fields: Partial<PartitionFacts> = {}): PartitionFacts {
  const place = { number: 1, startBytes: 2 ** 20, sizeBytes: 2 ** 41 };
  const names = { label: undefined, uuid: undefined };
  return { name: "sda1", ...place, ...names, signatures: [], mounts: [], ...fields };
}
