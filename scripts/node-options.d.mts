export declare const nodeFlags: readonly string[]
export declare const nodeEnvironment: (root: string) => { NODE_COMPILE_CACHE: string }
