/** Nominal types over strings and numbers, so that two kinds of identifier cannot be swapped. */
declare const brand: unique symbol;
export type Brand<T, Name extends string> = T & { readonly [brand]: Name };
