package org.apache.iceberg.rest;

import java.util.UUID;

/** The kit's view tests, which ask for locations on the local disk, with locations inside the warehouse. */
public class ViewCatalogKitTests extends RESTCompatibilityKitViewCatalogTests {
  private final String folder = "s3://lake/views/" + UUID.randomUUID();

  @Override
  protected String viewLocation(String... paths) {
    return folder + "/" + String.join("/", paths);
  }
}
