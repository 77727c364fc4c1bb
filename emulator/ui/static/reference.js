// The API's reference: its examples follow the playground's form.
import { drawAccount } from "./account.js";
import { showExamples } from "./examples.js";

drawAccount();
showExamples();
