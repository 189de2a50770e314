/** Where something damaged is: `HH/HH/base`, or `HH/HH/base@offset` for a part of a trunk file. Pure. */

export function parseTrunkPlace(
  place: string,
): { readonly below: string; readonly offset: number } | undefined {
  const match = /^([0-9A-F]{2}\/[0-9A-F]{2}\/\d{6,10})@(\d{1,10})$/.exec(place);
  return match === null ? undefined : { below: match[1] ?? "", offset: Number(match[2]) };
}

/** Without the `Mxx/` that a logical name has in front. */
export function placeOfName(name: string): string {
  return name.charCodeAt(0) === 0x4d ? name.slice(4) : name;
}
