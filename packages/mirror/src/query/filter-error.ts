import { QueryError } from '../mirror.ts'

/** A filter or sort text that cannot be understood: `position` is the character, from 0, at which the fault is. */
export class FilterError extends QueryError {
  readonly position: number
  constructor(message: string, position: number, pointer = '/filter') {
    super(`${message} (at character ${position + 1})`, pointer)
    this.position = position
  }
}
