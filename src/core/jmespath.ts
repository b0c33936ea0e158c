import type { ExpressionFault } from './secret-provider-class-keys.ts';

export function expressionFault(_expression: string): ExpressionFault | undefined {
  return undefined;
}
