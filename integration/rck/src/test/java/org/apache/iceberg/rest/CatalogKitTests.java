package org.apache.iceberg.rest;

import java.lang.reflect.Method;
import org.apache.iceberg.catalog.Namespace;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInfo;

/** The kit's catalog tests, and those of Iceberg's that the kit leaves out because not every catalog can pass them. */
public class CatalogKitTests extends RESTCompatibilityKitCatalogTests {
  private boolean listsEmptyNamespace;

  @BeforeEach
  void note(TestInfo test) {
    listsEmptyNamespace = test.getTestMethod().map(Method::getName).filter("listNamespacesWithEmptyNamespace"::equals).isPresent();
  }

  /** The empty namespace is not there and in no listing, which one test asks; the others make it, which the client refuses. */
  @Override
  protected boolean supportsEmptyNamespace() {
    return listsEmptyNamespace;
  }

  @Override
  protected boolean supportsNestedNamespaces() {
    return true;
  }

  @Override
  protected boolean supportsNamesWithSlashes() {
    return true;
  }

  /** Disabled in the kit, which expects a server to be configured for it; every table has a location of its own here. */
  @Test
  @Override
  public void createTableInUniqueLocation() {
    super.createTableInUniqueLocation();
  }

  /** What the kit's own purge does not know: it leaves these namespaces out, and nested ones. */
  @AfterEach
  void dropNamespaces() {
    for (Namespace namespace : catalog().listNamespaces()) {
      drop(namespace);
    }
  }

  private void drop(Namespace namespace) {
    catalog().listTables(namespace).forEach(catalog()::dropTable);
    catalog().listNamespaces(namespace).forEach(this::drop);
    catalog().dropNamespace(namespace);
  }
}
