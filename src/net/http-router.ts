/**
 * Which handler answers a request: by path first, then by method, so that a known path with a wrong method is told which ones
 * there are (405). A pattern is a whole path, or one that ends in `/*` and takes everything below; the first that fits wins.
 * HEAD is answered by the handler of GET where it has none of its own. Pure.
 */

export interface Route<Handler> {
  readonly pattern: string;
  /** By method, in upper case. */
  readonly methods: Readonly<Record<string, Handler>>;
}

export type RouteMatch<Handler> =
  | { readonly kind: "found"; readonly handler: Handler; readonly route: string }
  /** `allow` is the value of the header of that name. */
  | { readonly kind: "wrong-method"; readonly allow: string }
  | { readonly kind: "missing" };

export class HttpRouter<Handler> {
  readonly #routes: readonly Route<Handler>[];

  constructor(routes: readonly Route<Handler>[]) {
    this.#routes = routes;
  }

  /** `path` is matched as it is: no decoding, no folding of slashes or dots. */
  match(method: string, path: string): RouteMatch<Handler> {
    const route = this.#routes.find((one) => fits(one.pattern, path));
    if (route === undefined) return { kind: "missing" };
    const handler = handlerOf(route, method);
    if (handler !== undefined) return { kind: "found", handler, route: route.pattern };
    return { kind: "wrong-method", allow: allowed(route) };
  }
}

function fits(pattern: string, path: string): boolean {
  if (!pattern.endsWith("/*")) return path === pattern;
  return path.startsWith(pattern.slice(0, -1));
}

function handlerOf<Handler>(route: Route<Handler>, method: string): Handler | undefined {
  const name = method === "HEAD" && !Object.hasOwn(route.methods, "HEAD") ? "GET" : method;
  return Object.hasOwn(route.methods, name) ? route.methods[name] : undefined;
}

function allowed<Handler>(route: Route<Handler>): string {
  const names = Object.keys(route.methods);
  if (names.includes("GET") && !names.includes("HEAD")) names.push("HEAD");
  return [...names, "OPTIONS"].join(", ");
}
