/** Host names as settings accept them: DNS labels, underscores too since internal names have them. Pure. */
const name = /^[A-Za-z0-9_]([A-Za-z0-9_-]{0,62})?(\.[A-Za-z0-9_]([A-Za-z0-9_-]{0,62})?)*\.?$/;
const maxLength = 253;

/** True for a host name. Digits and dots alone are a mistyped address, not a name. */
export function isHostName(text: string): boolean {
  return text.length <= maxLength && name.test(text) && !/^[\d.]+$/.test(text);
}
