/** The version, as package.json has it (a test compares them): the program is one file and cannot read that one. */
export const version = '0.1.0';
