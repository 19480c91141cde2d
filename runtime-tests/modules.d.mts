export interface Module {
  readonly text: string
  /** Where its specifiers lead. */
  readonly imports: ReadonlyMap<string, string>
}

export declare function resolve(folder: string, specifier: string, from: string): string

export declare function modulesOf(folder: string, entry: string, own?: RegExp): ReadonlyMap<string, Module>
