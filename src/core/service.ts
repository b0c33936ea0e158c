/** The services of AWS that values come from. */

/** Their names, which `objectType` uses. */
export const services = ['secretsmanager', 'ssmparameter'] as const;

export type Service = (typeof services)[number];
