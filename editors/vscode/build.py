"""Build the extension for VS Code, a zip file with a manifest: `python editors/vscode/build.py`.

`code --install-extension renaissance-vl-VERSION.vsix` installs it. Neither npm nor Node is needed.
"""

import json
import sys
import zipfile
from pathlib import Path
from xml.sax.saxutils import escape, quoteattr

FOLDER = Path(__file__).parent
LICENSE = FOLDER.parents[1] / "LICENSE"
FILES = (
    "package.json",
    "README.md",
    "icon.png",
    "extension.js",
    "client.js",
    "command.js",
    "server.js",
    "values.js",
    "language-configuration.json",
    "syntaxes/vl.tmLanguage.json",
)
_BEGAN = (1980, 1, 1, 0, 0, 0)
_TYPES = """<?xml version="1.0" encoding="utf-8"?>
<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">
  <Default Extension=".json" ContentType="application/json"/>
  <Default Extension=".js" ContentType="application/javascript"/>
  <Default Extension=".md" ContentType="text/markdown"/>
  <Default Extension=".png" ContentType="image/png"/>
  <Default Extension=".txt" ContentType="text/plain"/>
  <Default Extension=".vsixmanifest" ContentType="text/xml"/>
</Types>
"""
_MANIFEST = """<?xml version="1.0" encoding="utf-8"?>
<PackageManifest Version="2.0.0" xmlns="http://schemas.microsoft.com/developer/vsx-schema/2011">
  <Metadata>
    <Identity Language="en-US" Id={name} Version={version} Publisher={publisher}/>
    <DisplayName>{title}</DisplayName>
    <Description xml:space="preserve">{description}</Description>
    <Tags>{tags}</Tags>
    <Categories>{categories}</Categories>
    <License>extension/LICENSE.txt</License>
    <Icon>extension/icon.png</Icon>
    <Properties>
      <Property Id="Microsoft.VisualStudio.Code.Engine" Value={engine}/>
      <Property Id="Microsoft.VisualStudio.Code.ExtensionKind" Value="workspace"/>
    </Properties>
  </Metadata>
  <Installation>
    <InstallationTarget Id="Microsoft.VisualStudio.Code"/>
  </Installation>
  <Dependencies/>
  <Assets>
    <Asset
      Type="Microsoft.VisualStudio.Code.Manifest" Path="extension/package.json" Addressable="true"/>
    <Asset
      Type="Microsoft.VisualStudio.Services.Content.Details"
      Path="extension/README.md" Addressable="true"/>
    <Asset
      Type="Microsoft.VisualStudio.Services.Content.License"
      Path="extension/LICENSE.txt" Addressable="true"/>
    <Asset
      Type="Microsoft.VisualStudio.Services.Icons.Default"
      Path="extension/icon.png" Addressable="true"/>
  </Assets>
</PackageManifest>
"""


def build(folder: Path) -> Path:
    """Write the extension into a folder and return its path; the same files give the same bytes."""
    package = json.loads((FOLDER / "package.json").read_text(encoding="utf-8"))
    manifest = _MANIFEST.format(
        title=escape(package["displayName"]),
        description=escape(package["description"]),
        tags=escape(",".join(package["keywords"])),
        categories=escape(",".join(package["categories"])),
        engine=quoteattr(package["engines"]["vscode"]),
        **{key: quoteattr(package[key]) for key in ("name", "version", "publisher")},
    )
    content = {"[Content_Types].xml": _TYPES.encode(), "extension.vsixmanifest": manifest.encode()}
    content |= {f"extension/{name}": (FOLDER / name).read_bytes() for name in FILES}
    content["extension/LICENSE.txt"] = LICENSE.read_bytes()
    path = folder / f"{package['name']}-{package['version']}.vsix"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in content.items():
            entry = zipfile.ZipInfo(name, _BEGAN)
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, data)
    return path


if __name__ == "__main__":
    sys.stdout.write(f"{build(Path.cwd())}\n")
