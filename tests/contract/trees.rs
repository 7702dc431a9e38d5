//! Every source tree driver.
